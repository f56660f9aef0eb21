use super::Cli;
use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::PathBuf;

/// A shell that completes commands.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum CompletedShell {
    Bash,
    Zsh,
    Fish,
}

/// Which completions to print.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell. bash: put them at /usr/share/bash-completion/completions/cofre. zsh: at _cofre in a directory of
    /// $fpath. fish: at ~/.config/fish/completions/cofre.fish.
    shell: CompletedShell,
}

/// Where manual pages go.
#[derive(Debug, clap::Args)]
pub(super) struct Pages {
    /// Directory, which is made if it is missing: /usr/local/share/man/man1 for everyone.
    directory: PathBuf,
}

/// `cofre completions`.
pub(super) fn complete(args: &Completions) -> Result<()> {
    let shell = match args.shell {
        CompletedShell::Bash => Shell::Bash,
        CompletedShell::Zsh => Shell::Zsh,
        CompletedShell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cofre", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script).context("printing the completions")
}

/// `cofre man`.
pub(super) fn write(args: &Pages) -> Result<()> {
    let directory = &args.directory;
    let named = || directory.display().to_string();
    std::fs::create_dir_all(directory).with_context(named)?;
    clap_mangen::generate_to(Cli::command(), directory).with_context(named)
}
