//! Secrets of keys that a provisioning file leaves to Cofre.

use anyhow::{Context, Result};
use cofre_admin_types::provision::Provision;
use cofre_iam::{Secret, write_private_file};
use cofre_runtime::Random;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

/// Secrets that were made, by the ids of their keys.
pub(crate) struct FreshSecrets(Vec<(String, Secret)>);

/// Makes a secret for each of these keys, and puts it into the document.
pub(crate) fn make_secrets(document: &mut Provision, keys: &HashSet<String>, random: &Random) -> FreshSecrets {
    let mut made = Vec::new();
    for key in document.accounts.iter_mut().flat_map(|account| &mut account.keys) {
        if key.secret_access_key.is_none() && keys.contains(&key.access_key_id) {
            let secret = Secret::access_key(random);
            key.secret_access_key = Some(secret.expose().to_owned());
            made.push((key.access_key_id.clone(), secret));
        }
    }
    FreshSecrets(made)
}

impl FreshSecrets {
    /// Ids and secrets.
    pub(crate) fn pairs(&self) -> &[(String, Secret)] {
        &self.0
    }

    /// Writes them into an AWS shared credentials file of mode 0600, a profile for each key. Other profiles of the file
    /// stay. Blocks; on disk when it returns.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let before = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let ours: HashSet<String> = self.0.iter().map(|(id, _)| format!("[{id}]")).collect();
        let mut text = zeroize::Zeroizing::new(String::new());
        let mut keeps = true;
        for line in before.lines() {
            if line.trim_start().starts_with('[') {
                keeps = !ours.contains(line.trim());
            }
            if keeps {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{line}");
            }
        }
        for (id, secret) in &self.0 {
            let _ = writeln!(text, "[{id}]\naws_access_key_id = {id}\naws_secret_access_key = {}", secret.expose());
        }
        // What a link leads to is written, and the link stays.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        write_private_file(&path, &text)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_of_credentials_keeps_other_profiles_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made");
        let one = FreshSecrets(vec![("one".to_owned(), Secret::new("first".to_owned()))]);
        one.write(&path).unwrap();
        let both = FreshSecrets(vec![
            ("one".to_owned(), Secret::new("again".to_owned())),
            ("two".to_owned(), Secret::new("2".to_owned())),
        ]);
        both.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "[one]\naws_access_key_id = one\naws_secret_access_key = again\n[two]\naws_access_key_id = two\naws_secret_access_key = 2\n"
        );
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
