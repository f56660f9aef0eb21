use cofre_catalog::records::{Guards, LegalHold, Retention};

/// The lock that a writer asks for. What it leaves out is the bucket's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WantedLock {
    /// Until when the version is kept.
    pub retention: Option<Retention>,
    /// Whether it is kept until that is taken back.
    pub legal_hold: Option<bool>,
}

impl WantedLock {
    /// Whether anything is asked for.
    pub const fn is_some(&self) -> bool {
        self.retention.is_some() || self.legal_hold.is_some()
    }

    /// What of it stands with the version.
    pub fn guards(self) -> Guards {
        let legal_hold = self.legal_hold.map_or(LegalHold::Never, LegalHold::set);
        Guards { retention: self.retention, legal_hold, ..Guards::default() }
    }
}
