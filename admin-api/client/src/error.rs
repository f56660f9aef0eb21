use cofre_admin_types::Problem;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client was set up wrongly: mend the options.
    #[error("{0}")]
    Usage(String),
    /// No answer came. The call may or may not have been carried out, unless the connection itself
    /// could not be made.
    #[error("cannot reach the admin API at {url}: {reason}")]
    Unreachable {
        /// The URL of the API.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The server answered why not.
    #[error("{}{}", .0.title, detail(.0))]
    Problem(Box<Problem>),
    /// The answer is none of this API: another server, or another version of it.
    #[error("the answer of {url} makes no sense: {reason}")]
    Answer {
        /// The URL of the API.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// The HTTP status, if the server answered why not.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Usage(_) | Self::Unreachable { .. } | Self::Answer { .. } => None,
        }
    }
}

fn detail(problem: &Problem) -> String {
    if problem.detail.is_empty() { String::new() } else { format!(": {}", problem.detail) }
}
