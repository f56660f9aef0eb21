use std::path::PathBuf;

/// How a server is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pub(crate) program: Option<PathBuf>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) shards: Vec<PathBuf>,
    pub(crate) shard_count: usize,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) quiet: bool,
}

impl Options {
    /// As a user starts it: one shard in the data folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another program than [`crate::Cofre::binary`]: an older one, to compare with.
    #[must_use]
    pub fn program(mut self, path: PathBuf) -> Self {
        self.program = Some(path);
        self
    }

    /// This many shards, each in a folder of its own beside the data.
    #[must_use]
    pub fn shards(mut self, count: usize) -> Self {
        self.shard_count = count;
        self
    }

    /// Its data in this folder, which outlives it.
    #[must_use]
    pub fn data(mut self, path: PathBuf) -> Self {
        self.data = Some(path);
        self
    }

    /// Shows the log only if there is something in it that nobody expected: for programs that are no tests.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// One more shard, in this folder.
    #[must_use]
    pub fn shard(mut self, path: PathBuf) -> Self {
        self.shards.push(path);
        self
    }

    /// Adds arguments of `cofre serve`.
    #[must_use]
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}
