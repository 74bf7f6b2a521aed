//! Whole configurations, from files on disk to typed settings.

mod layers;
mod mistakes;
mod secrets;

use std::fs;

use tempfile::TempDir;

use super::*;

/// What ECS cannot do without.
const NEEDED: &str = "ECS_INSTANCE_LAUNCH_TEMPLATE=defaultECS\nSERVER_TASK_DEFINITION=LaunchGameserver\n";

/// The `.env` of the program before this one.
const OLD: &str = "\
AWS_REGION=ap_south_1
SECRET_KEY=lol
DEBUG=False
UPSCALE_MARGIN=4
DOWNSCALE_MARGIN=18
SERVER_CAPACITY=10
AWS_REGION=ap-south-1
ECS_INSTANCE_LAUNCH_TEMPLATE=defaultECS
SERVER_TASK_DEFINITION=LaunchGameserver
SLEEP_TIME=0
BACKUP_GAMESERVER=127.0.0.1:8888
";

/// A working directory with what is in force there.
struct Place {
    dir: TempDir,
    flags: Flags,
    env: Vec<(String, String)>,
}

impl Place {
    /// On this machine, where nothing must be set.
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self { dir, flags: Flags { local: true, ..Flags::default() }, env: Vec::new() }
    }

    fn on_ecs() -> Self {
        Self { flags: Flags::default(), ..Self::new() }
    }

    /// With the files that the examples of `manager.toml` name.
    fn with_examples(self) -> Self {
        self.file("operations-token", "0123456789abcdef\n").file("api-keys", "0123456789abcdef\n")
    }

    fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.dir.path().join(name), text).expect("a file");
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn try_load(&self) -> Result<Loaded, Mistakes> {
        load(&self.flags, self.dir.path(), self.env.clone())
    }

    fn load(&self) -> Loaded {
        self.try_load().unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// The mistakes, in the form the operator sees.
    fn mistakes(&self) -> Vec<String> {
        let mistakes = self.try_load().expect_err("a mistake");
        mistakes.iter().map(ToString::to_string).collect()
    }

    /// The only mistake there is.
    fn mistake(&self) -> String {
        let mut mistakes = self.mistakes();
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        mistakes.remove(0)
    }
}

fn shown<'a>(loaded: &'a Loaded, path: &str) -> (&'a str, &'a str) {
    let effective = loaded.effective.iter().find(|effective| effective.path == path).expect(path);
    (&effective.value, &effective.source)
}
