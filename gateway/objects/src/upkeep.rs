use crate::domain::{Objects, Parts};

/// What keeps the domain in order: lifecycle, conversion, stale uploads, delivery of access logs, garbage of records,
/// counting and verifying. Cloning is cheap.
///
/// It asks for no rights. Who composes the process makes it, and gives it to the jobs and to the door of operators; a door
/// of clients gets [`Upkeep::objects`].
#[derive(Clone)]
pub struct Upkeep {
    pub(crate) objects: Objects,
}

impl Upkeep {
    /// The domain over its parts.
    pub fn new(parts: Parts) -> Self {
        Self { objects: Objects::new(parts) }
    }

    /// The verbs of the domain, each of which asks for the rights of its caller.
    pub const fn objects(&self) -> &Objects {
        &self.objects
    }
}

impl std::fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Upkeep")
    }
}
