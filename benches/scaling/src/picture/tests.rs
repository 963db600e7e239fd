use super::*;

#[test]
fn the_picture_of_the_page_is_that_of_the_program() {
    let picture = std::fs::read_to_string(crate::root().join(crate::PICTURE)).unwrap();
    assert!(picture == svg(), "docs/scaling.svg: is out of date; `make scaling` writes it");
}

#[test]
fn each_quota_that_is_shown_is_one_of_the_list() {
    let quotas = quotas(Setup::DEFAULT);
    for (name, _) in SHOWN {
        assert!(quotas.iter().any(|quota| quota.name == name), "{name}");
    }
}
