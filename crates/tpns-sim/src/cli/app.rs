//! `--app NAME:ACCESS_ID:SECRET_KEY`, and the app without it.

use thiserror::Error;
use tpns_sim::App;

/// Why an app was refused. No message contains a secret key.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum AppOptionError {
    #[error("an app is NAME:ACCESS_ID:SECRET_KEY, such as android:1500001048:some-secret")]
    NotThreeParts,
    #[error("the name is empty; an app is NAME:ACCESS_ID:SECRET_KEY")]
    NoName,
    #[error("app `{0}`: the access id must be a whole number such as 1500001048")]
    AccessId(String),
}

/// The app of a server whose command line names none.
pub(crate) fn default_app() -> App {
    App { name: "android".to_owned(), access_id: 1_500_001_048, secret_key: "local-android-key".to_owned() }
}

/// A secret key may contain colons.
pub(crate) fn read(text: &str) -> Result<App, AppOptionError> {
    let mut parts = text.splitn(3, ':');
    let (Some(name), Some(access_id), Some(secret_key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(AppOptionError::NotThreeParts);
    };
    if name.is_empty() {
        return Err(AppOptionError::NoName);
    }
    let access_id = access_id.parse().map_err(|_| AppOptionError::AccessId(name.to_owned()))?;
    Ok(App { name: name.to_owned(), access_id, secret_key: secret_key.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_read_from_its_three_parts_and_the_key_may_have_colons() {
        let app = read("ios:1600001049:a:b").expect("an app");
        assert_eq!((&*app.name, app.access_id, &*app.secret_key), ("ios", 1_600_001_049, "a:b"));
    }

    #[test]
    fn a_refusal_says_which_part_is_wrong_and_never_prints_the_key() {
        assert_eq!(read("hunter2"), Err(AppOptionError::NotThreeParts));
        assert_eq!(read("ios:hunter2"), Err(AppOptionError::NotThreeParts));
        assert_eq!(read(":1:hunter2"), Err(AppOptionError::NoName));
        assert_eq!(read("ios:hunter2:hunter2"), Err(AppOptionError::AccessId("ios".to_owned())));
        for text in ["hunter2", "ios:hunter2", ":1:hunter2", "ios:hunter2:hunter2"] {
            let message = read(text).expect_err("must be refused").to_string();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
