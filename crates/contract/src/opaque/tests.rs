use proptest::prelude::*;

use super::*;

#[test]
fn an_id_is_shown_only_if_it_has_the_form_of_a_random_one() {
    let shown = [
        ("a UUID", "6f0c2a4e-1b3d-4c5f-8a7b-9c0d1e2f3a40"),
        ("in capitals", "6F0C2A4E-1B3D-4C5F-8A7B-9C0D1E2F3A40"),
        ("of EventBridge, which sets no version", "17793124-05d4-b198-2fde-7ededc63b103"),
        ("with a number by chance", "123e4567-e89b-12d3-a456-426614174000"),
        ("a UUID by time", "0190a6d4-7c1b-7f3e-9a52-c4d1e8b60f27"),
        ("without hyphens", "6f0c2a4e1b3d4c5f8a7b9c0d1e2f3a40"),
        ("a ULID", "01JDA2V6K0Q3N8Z4T5W6X7Y8Z9"),
        ("of few digits", "01BX5ZZKBKACTAV9WEVGEMMVRZ"),
        ("in small letters", "01arz3ndektsv4rrffq69g5fav"),
        ("a KSUID", "0ujtsYcgvSTl8PAuAdqWYSMnLOv"),
        ("another", "0ujsswThIGTUYm2K8FjOOfXtY1K"),
        ("an ObjectId", "64f2a1b3c4d5e6f708192a3b"),
        ("16 hex digits", "9f86d081884c7d65"),
        ("a SHA-256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("hex without digits", "deadbeefcafebabe"),
        ("base32", "JBSWY3DPEHPK3PXP"),
        ("a cuid", "cjld2cjxh0000qzrmn831i7rn"),
        ("a nanoid", "V1StGXR8_Z5jdHi6B-myT"),
        ("22 characters of base64url", "q8Jm3vQz1tB7xR5kLw2YpA"),
    ];
    for (what, id) in shown {
        assert!(is_opaque(id), "{what}: {id}");
    }
    let hidden = [
        ("empty", ""),
        ("short", "9f86d081884c7d6"),
        ("a counter", "evt-001"),
        ("a phone number", "13711112222"),
        ("in words", "logout-13711112222-1"),
        ("behind a word", "login-13711112222"),
        ("in groups", "x-137-1111-2222-9a"),
        ("in hex", "a0b1c2d13711112222e3f4a5"),
        ("in base32", "01JDA2V6K013711112222"),
        ("in a ULID", "01JDA2V6K08613711112222ABC"),
        ("in base64url", "q8Jm3vQz13711112222kLw2Y"),
        ("in an empty UUID", "00000000-0000-0000-0000-013711112222"),
        ("in a UUID filled up", "deadbeef-0000-0000-0000-013711112222"),
        ("in a UUID of digits", "20261122-0815-4330-8123-013711112222"),
        ("one group of a UUID too long", "6f0c2a4e-1b3d-4c5f-8a7b-8613711112222"),
        ("a time", "20261122081530123"),
        ("a snowflake", "1795334400123456789"),
        ("a mail address", "ann.smith@example.com"),
        ("an identity provider's", "auth0|64f2a1b3c4d5e6f708192a3b"),
        ("a name in a path", "users/zhangwei/logout"),
        ("a name", "logout-zhangwei"),
        ("a long name", "logout_alexander_hamilton"),
        ("in CamelCase", "LogoutAlexanderHamilton"),
        ("with a year", "Login-JohnSmith-2026"),
        ("without marks", "LogoutZhangWei2026Nov22"),
        ("in one word", "johnsmithlogout2"),
        ("in capitals", "LOGOUT-JOHN-SMITH-2"),
        ("in short words", "li-wei-1989-ab-cd"),
        ("a mail address in base64", "YWxpY2VAZXhhbXBsZS5jb20"),
        ("behind a word of three letters", "evt_YWxpY2VAZXhhbXBsZS5jb20"),
        ("in hex", "616c696365406578616d706c652e636f6d"),
        ("in base32", "MFWGSY3FIBSXQYLNOBWGKLTDN5WQ"),
        ("in the form of a UUID", "6a6f686e-4073-6d69-7468-2e6578616d70"),
        ("a line break", "6f0c2a4e-1b3d-4c5f-8a7b-9c0d1e2f3a40\n"),
        ("other letters", "6f0c2a4é-1b3d-4c5f-8a7b-9c0d1e2f3a4"),
        ("too long", &"9f86d081884c7d65".repeat(9)),
    ];
    for (what, id) in hidden {
        assert!(!is_opaque(id), "{what}: {id}");
    }
}

#[test]
fn six_letters_or_digits_in_common_are_too_many() {
    for (id, text) in [
        ("6f0c2a4e-1b3d-4c5f-8a7b-8613711112aa", "+86 137-1111-2222"),
        ("64f2a1b3c4d5e6f708192a3b", "auth0|64f2a1b3c4d5e6f708192a3b"),
        ("64F2A1B3C4D5E6F708192A3B", "auth0|64f2a1b3c4d5e6f708192a3b"),
        ("6f0c2a4e-1b3d-4c5f-8a7b-9c0d1e2f3a40", "6f0c2a4e-1b3d-4c5f-8a7b-9c0d1e2f3a40"),
        ("0ujalicesTl8PAuAdqWYSMnLOv1", "alices@example.com"),
        // The whole of a shorter one.
        ("9f86d0818alice7d65", "alice"),
        ("9f86d08184c7d65", "8184"),
    ] {
        assert!(shares(id, text), "{id} {text}");
    }
    for (id, text) in [
        ("6f0c2a4e-1b3d-4c5f-8a7b-", "+86 137-1111-2222"),
        ("64f2a1b3c4d5e6f708192a3b", "auth0|64f2a"),
        ("9f86d08184c7d65", "818"),
        ("9f86d08184c7d65", ""),
        ("", "alice"),
    ] {
        assert!(!shares(id, text), "{id} {text}");
    }
}

proptest! {
    #[test]
    fn an_id_made_of_an_account_is_never_shown(
        account in r"[A-Za-z0-9+@.|_-]{6,40}",
        (from, length) in (any::<prop::sample::Index>(), 6..40_usize),
        mark in "[-_]?", before in "[A-Za-z0-9_-]{0,30}", after in "[A-Za-z0-9_-]{0,30}",
    ) {
        let account = account.replace(['@', '.', '|', '+'], &mark);
        prop_assume!(letters(&account).len() >= 6);
        let from = from.index(letters(&account).len() - 5);
        // From the given letter or digit on.
        let start = account.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).nth(from).unwrap().0;
        let mut part = account[start..].to_owned();
        part.truncate(length.max(6));
        prop_assume!(letters(&part).len() >= 6);
        let id = format!("{before}{part}{after}");
        prop_assert!(!is_opaque(&id) || shares(&id, &account), "{} {}", id, account);
    }

    #[test]
    fn a_phone_number_is_never_shown_whatever_is_around_it(
        number in "[0-9]{7,15}", before in "[A-Za-z0-9_-]{0,30}", after in "[A-Za-z0-9_-]{0,30}",
    ) {
        let id = format!("{before}{number}{after}");
        prop_assume!(!is_uuid(&id));
        prop_assert!(!is_opaque(&id), "{}", id);
    }

    #[test]
    fn an_encoded_account_is_never_shown(account in r"[a-z0-9+]{3,12}(@[a-z]{3,9}\.com)?", before in "(login:|logout )?") {
        let text = format!("{before}{account}");
        prop_assume!(text.len() >= 6);
        let bytes = text.as_bytes();
        for id in [HEXLOWER_PERMISSIVE.encode(bytes), BASE32_NOPAD.encode(bytes), BASE64URL_NOPAD.encode(bytes)] {
            prop_assert!(!is_opaque(&id), "{} {}", id, text);
            prop_assert!(!is_opaque(&format!("evt_{id}")), "{} {}", id, text);
        }
    }

    #[test]
    fn a_random_uuid_is_shown(bits: u128) {
        let hex = format!("{bits:032x}");
        let id = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
        prop_assume!(is_uuid(&id));
        prop_assert!(is_opaque(&id), "{}", id);
    }

    #[test]
    fn any_text_is_judged(id in any::<String>(), text in any::<String>()) {
        let _ = (is_opaque(&id), shares(&id, &text));
    }
}
