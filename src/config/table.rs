//! The one table of settings. Each section of it stands beside the type it fills, under [`sections`](super::sections).

use super::sections::{
    api, aws, cloud_calls, health, http, journal, launch, local, manager, operations, rollout, scaling, traces,
};
use super::setting::{Section, Setting};

/// Every setting there is, in the order of `manager.toml`.
pub(super) static SECTIONS: [Section; 13] = [
    manager::SECTION,
    scaling::SECTION,
    health::SECTION,
    launch::SECTION,
    rollout::SECTION,
    cloud_calls::SECTION,
    http::SECTION,
    api::SECTION,
    operations::SECTION,
    journal::SECTION,
    traces::SECTION,
    local::SECTION,
    aws::SECTION,
];

/// Names of the old program that mean a setting, but are written in seconds.
pub(super) const IN_SECONDS: [(&str, &str); 2] =
    [("SLEEP_TIME", "health.interval"), ("THREAD_SLEEP_TIME", "health.interval")];

/// Names that only the old web framework used: accepted in a `.env`, and of no effect.
pub(super) const UNUSED: [&str; 6] =
    ["SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "DJANGO_SETTINGS_MODULE", "CSRF_TRUSTED_ORIGINS", "DATABASE_URL"];

/// Every setting there is.
pub(super) fn settings() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

/// The setting at this place of `manager.toml`.
pub(super) fn by_path(path: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.path == path)
}

/// The setting of this name in the environment.
pub(super) fn by_env(name: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.env == name)
}

/// The setting that this name of the old program gives in seconds.
pub(super) fn in_seconds(name: &str) -> Option<&'static Setting> {
    IN_SECONDS.iter().find(|(old, _)| *old == name).and_then(|(_, path)| by_path(path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::setting::Given;

    #[test]
    fn no_name_is_given_twice() {
        let mut seen = BTreeSet::new();
        let old = IN_SECONDS.iter().map(|(name, _)| *name).chain(UNUSED);
        for name in settings().flat_map(|setting| [setting.path, setting.env]).chain(old) {
            assert!(seen.insert(name), "{name} is there twice");
        }
    }

    #[test]
    fn every_setting_stands_in_its_section() {
        for section in &SECTIONS {
            for setting in section.settings {
                assert_eq!(setting.section(), section.name, "{}", setting.path);
            }
        }
    }

    #[test]
    fn every_default_and_every_example_is_allowed() {
        for setting in settings() {
            let (Given::Default(text) | Given::Unset(text)) = setting.default;
            let value = setting.kind.read(text);
            assert!(setting.kind.check(&value).is_ok(), "{} = {text}", setting.path);
        }
    }

    #[test]
    fn the_old_names_mean_settings() {
        for (old, path) in IN_SECONDS {
            assert!(in_seconds(old).is_some_and(|setting| setting.path == path), "{old}");
        }
    }
}
