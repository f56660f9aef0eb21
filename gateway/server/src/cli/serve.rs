use super::Told;
use crate::serve::{FirstStart, LogControl, Running, log, start};
use crate::supervisor::Supervisor;
use anyhow::{Context, Result};
use cofre_runtime::spawn;
use cofre_settings::{BootArgs, BootSettings, LogFormat, LogLevel, UnknownVariable, unknown_variables};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// Threads that block on files, at the most. Each takes a stack; a read of a file holds one for
/// microseconds to milliseconds.
const BLOCKING_THREADS_MAX: usize = 128;

/// Version of the program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Exit status after a second signal, as shells count an interrupt.
const INTERRUPTED: i32 = 130;

/// `cofre serve`.
pub(super) fn run(args: BootArgs) -> Result<()> {
    let wanted = args.log_format;
    let settings = match BootSettings::load(args, |name| std::env::var(name).ok()) {
        Ok(settings) => settings,
        Err(error) if wanted == Some(LogFormat::Json) => {
            let (_, _lines) = log::init(LogFormat::Json, LogLevel::Info).context("starting the log")?;
            return Err(told(error.into()));
        }
        Err(error) => return Err(error.into()),
    };
    let format = settings.log_format;
    let (log, _lines) = log::init(format, settings.log_level).context("starting the log")?;
    tracing::info!(version = VERSION, data = absolute(&settings.data), "started");
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    // A program for debugging reads these.
    let names = names.filter(|name| !(cfg!(debug_assertions) && name.starts_with("COFRE_DEBUG_")));
    for UnknownVariable { name, nearest } in unknown_variables(names) {
        tracing::warn!(
            name,
            nearest,
            "a variable of the environment has the name of a setting that there is not; it counts for nothing"
        );
    }
    match (serve(settings, log), format) {
        (Err(error), LogFormat::Json) => Err(told(error)),
        (outcome, _) => outcome,
    }
}

/// Logs what went wrong, for a log that is read line by line.
fn told(error: anyhow::Error) -> anyhow::Error {
    tracing::error!(error = format!("{error:#}"), "cofre does not serve");
    error.context(Told)
}

fn serve(settings: BootSettings, log: LogControl) -> Result<()> {
    let format = settings.log_format;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("cofre")
        .build()
        .context("starting the runtime")?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        let banner = Banner::of(&settings);
        let supervisor = Supervisor::of(|name| std::env::var(name).ok())?;
        let running = start(settings, Some(log)).await?;
        let (s3, admin, console) = (banner.s3(&running), banner.admin(&running), banner.console(&running));
        tracing::info!(version = VERSION, s3, admin, console, "listening");
        match format {
            LogFormat::Text => print!("{}", banner.text(&running)),
            LogFormat::Json => banner.log(&running),
        }
        supervisor.ready(running.clock(), running.pulse());
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        drop(spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            eprintln!("cofre: a second signal; ending at once");
            std::process::exit(INTERRUPTED);
        }));
        supervisor.stopping(running.drain_max());
        running.drain().await
    })
}

/// What a person sees when the server is up.
struct Banner {
    data: String,
    region: String,
    s3_scheme: &'static str,
    admin_scheme: &'static str,
    console_scheme: &'static str,
    /// Files of keys that Cofre is lost without, and what each is for.
    key_files: Vec<(String, &'static str)>,
}

impl Banner {
    fn of(settings: &BootSettings) -> Self {
        let scheme = |tls: bool| if tls { "https" } else { "http" };
        let master = settings.secrets.master_key.is_none().then(|| absolute(&settings.master_key_file));
        let keys = [
            master.map(|path| (path, "opens the access keys")),
            Some((absolute(&settings.encryption_keys_file), "opens encrypted objects")),
        ];
        let s3_scheme = scheme(settings.tls.is_some() || settings.acme.is_some());
        let admin_scheme = scheme(settings.admin_tls.is_some());
        Self {
            key_files: keys.into_iter().flatten().collect(),
            data: absolute(&settings.data),
            region: settings.region.clone(),
            s3_scheme,
            admin_scheme,
            // It shows the certificate of the S3 API, or else that of the admin API.
            console_scheme: if s3_scheme == "https" { s3_scheme } else { admin_scheme },
        }
    }

    /// URL of the S3 API.
    fn s3(&self, running: &Running) -> String {
        format!("{}://{}", self.s3_scheme, running.s3)
    }

    /// URL of the admin API.
    fn admin(&self, running: &Running) -> String {
        format!("{}://{}", self.admin_scheme, running.admin)
    }

    /// URL of the console.
    fn console(&self, running: &Running) -> String {
        match running.console {
            Some(address) => format!("{}://{}", self.console_scheme, reachable(address)),
            None => format!("{}://{}", self.admin_scheme, reachable(running.admin)),
        }
    }

    /// What is in the clear beyond this machine: its name, its address, and the flags that mend it.
    fn in_the_clear(&self, running: &Running) -> impl Iterator<Item = (&'static str, SocketAddr, &'static str)> {
        let doors = [
            Some(("S3 API", self.s3_scheme, running.s3, "--tls-cert and --tls-key")),
            Some(("admin API", self.admin_scheme, running.admin, "--admin-tls-cert and --admin-tls-key")),
            running.console.map(|at| ("console", self.console_scheme, at, "--tls-cert and --tls-key")),
        ];
        let doors = doors.into_iter().flatten();
        let clear = |scheme, address: SocketAddr| scheme == "http" && !address.ip().to_canonical().is_loopback();
        doors.filter(move |(_, scheme, at, _)| clear(*scheme, *at)).map(|(name, _, at, f)| (name, at, f))
    }

    /// The same as lines of the log.
    fn log(&self, running: &Running) {
        for (name, address, flags) in self.in_the_clear(running) {
            tracing::warn!(%address, "the {name} is reachable from the network in the clear: set {flags}, or let a proxy with TLS come before it");
        }
        let Some(first) = &running.first else { return };
        tracing::info!(
            credentials = absolute(&first.credentials),
            access_key_id = first.access_key_id,
            admin_token = absolute(&first.admin_token),
            "the first start made the root account's key and the admin token; only this user can read the files"
        );
        for (path, purpose) in &self.key_files {
            tracing::info!(path, purpose, "keep a copy of this file apart from the data: without it the data is lost");
        }
    }

    fn text(&self, running: &Running) -> String {
        let endpoint = format!("{}://{}", self.s3_scheme, reachable(running.s3));
        let admin = format!("{}://{}", self.admin_scheme, reachable(running.admin));
        let console = self.console(running);
        let mut text = format!(
            "Cofre {} serves\n  S3         {endpoint}  (region {})\n  console    {console}  (sign in with an access key)\n  admin API  {admin}  (its documentation: {admin}/docs)\n  data       {}\n",
            VERSION, self.region, self.data
        );
        for (name, address, flags) in self.in_the_clear(running) {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\nWarning: the {name} listens on {address}, reachable from the network in the clear. Set {flags}, or let a proxy\nwith TLS come before it.\n"
            );
        }
        if let Some(first) = &running.first {
            self.first(&mut text, first, &endpoint);
        }
        text
    }

    fn first(&self, text: &mut String, first: &FirstStart, endpoint: &str) {
        let credentials = absolute(&first.credentials);
        let token = absolute(&first.admin_token);
        let aws = format!(
            "AWS_SHARED_CREDENTIALS_FILE={} AWS_REGION={} AWS_ENDPOINT_URL={endpoint} aws s3",
            quoted(&credentials),
            self.region
        );
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\nThis is the first start. These files are for you, and only you can read them:\n  {credentials}  the root account's key {}\n  {token}  the admin token\n\nKeep copies of these apart from the data. Without them it is lost:\n",
            first.access_key_id
        );
        for (path, purpose) in &self.key_files {
            let _ = writeln!(text, "  {path}  {purpose}");
        }
        let _ = write!(text, "\nTry it:\n  {aws} mb s3://first\n  {aws} cp /etc/hostname s3://first/hello.txt\n");
    }
}

/// An address that clients on this machine can use: a wildcard is none.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// A path as a shell reads it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
