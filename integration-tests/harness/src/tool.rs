use crate::cofre::Cofre;
use crate::sign::Signer;
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Bytes of a tool's output that an error shows.
const SHOWN_BYTES_MAX: usize = 8 << 10;
/// The longest that one command of a client may take, in seconds.
const SECS_MAX: u32 = 300;
/// Arguments that stand before those of the tool: the bound, and the tool.
const ARGUMENTS_BEFORE: usize = 3;

/// Where `cargo verify` installs the Python clients; `COFRE_VERIFY_VENV` says otherwise.
pub fn venv() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/verify-venv");
    std::env::var_os("COFRE_VERIFY_VENV").map_or_else(default, PathBuf::from)
}

/// Where `cargo verify` installs what makes clients of the admin API; `COFRE_VERIFY_GENERATORS` says otherwise.
pub fn generators() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/verify-generators");
    std::env::var_os("COFRE_VERIFY_GENERATORS").map_or_else(default, PathBuf::from)
}

/// Where `cargo verify` installs what drives a browser; `COFRE_VERIFY_CONSOLE` says otherwise.
pub fn browser_tools() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/verify-console");
    std::env::var_os("COFRE_VERIFY_CONSOLE").map_or_else(default, PathBuf::from)
}

/// A client program, with an environment that makes it talk to one server and nothing else.
#[derive(Debug)]
pub struct Tool {
    command: Command,
    name: String,
}

impl Tool {
    /// A program of the system.
    pub fn new(name: &str) -> Self {
        Self::from_path(Path::new(name))
    }

    /// A program of the venv.
    pub fn python(name: &str) -> Self {
        Self::from_path(&venv().join("bin").join(name))
    }

    /// A program by its path.
    pub fn from_path(path: &Path) -> Self {
        let mut command = Command::new("timeout");
        command.arg("--kill-after=5").arg(SECS_MAX.to_string()).arg(path).stdin(Stdio::null());
        // A machine's own certificates, proxies and profiles are not this server's.
        let foreign = ["AWS_CA_BUNDLE", "AWS_PROFILE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
        for name in foreign {
            command.env_remove(name);
        }
        Self { command, name: path.display().to_string() }
    }

    /// Lets it talk to a server with its root key.
    #[must_use]
    pub fn for_server(self, cofre: &Cofre) -> Self {
        self.for_endpoint(cofre.s3(), cofre.signer(), cofre.folder())
    }

    /// Lets it talk to an endpoint; what it keeps goes to `home`.
    #[must_use]
    pub fn for_endpoint(self, address: SocketAddr, signer: &Signer, home: &Path) -> Self {
        self.env("AWS_ENDPOINT_URL", &format!("http://{address}"))
            .env("AWS_ACCESS_KEY_ID", &signer.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &signer.secret_key)
            .env("AWS_DEFAULT_REGION", &signer.region)
            .env("AWS_REGION", &signer.region)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("HOME", &home.display().to_string())
    }

    /// Runs it in a folder.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs it to its end, whatever that is.
    ///
    /// # Errors
    /// If it does not start.
    pub fn output(&mut self) -> Result<Output> {
        let output = self.command.output().with_context(|| format!("{} does not start", self.name))?;
        // 127 is how `timeout` says that there is no such program.
        ensure!(output.status.code() != Some(127), "{} is not installed; `cargo verify` installs it", self.name);
        Ok(output)
    }

    /// Runs it and gives what it prints.
    ///
    /// # Errors
    /// If it fails; the error shows the end of what it said.
    pub fn run(&mut self) -> Result<String> {
        let output = self.output()?;
        ensure!(
            output.status.success(),
            "{} {:?} failed ({})\n{}\n{}",
            self.name,
            self.command.get_args().skip(ARGUMENTS_BEFORE).collect::<Vec<_>>(),
            output.status,
            end_of(&output.stdout),
            end_of(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn end_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(SHOWN_BYTES_MAX)..]).into_owned()
}

impl From<Tool> for Command {
    /// The command, to be run in another way than to its end. It still ends after a while.
    fn from(tool: Tool) -> Self {
        tool.command
    }
}
