use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use cofre_shards::BackendError;

/// Most characters of an endpoint's own words in an error.
const WORDS_CHARS_MAX: usize = 200;

/// How a call failed: what the caller does next depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The endpoint says that there is no such object. No proof by itself: the bucket may be another.
    NoSuchKey,
    /// The object is there, and was not to be.
    Exists,
    /// The object ends before the range.
    BeyondEnd,
    /// The endpoint has no room.
    Full,
    /// The endpoint does not know the call, or something in it.
    NotKnown(String),
    /// It failed for now: a call that may be made twice is.
    Passing(String),
    /// Everything else, time-outs too.
    Refused(String),
}

impl Failure {
    /// What it means to the caller of the backend, where nothing better is known.
    pub(crate) fn unreachable(self) -> BackendError {
        match self {
            Self::Full => BackendError::Full,
            Self::NoSuchKey => BackendError::Unreachable("the endpoint says that there is no such object".into()),
            Self::Exists => BackendError::Unreachable("an object of that name is there".into()),
            Self::BeyondEnd => BackendError::Unreachable("the endpoint refuses the range".into()),
            Self::NotKnown(why) | Self::Passing(why) | Self::Refused(why) => BackendError::Unreachable(why),
        }
    }

    /// Reads an error of the SDK.
    pub(crate) fn of<E>(doing: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        match error {
            SdkError::ServiceError(_) => Self::of_answer(doing, error),
            SdkError::TimeoutError(_) => Self::Refused(format!("{doing}: no answer in time")),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::Refused(format!("{doing}: no connection in time"))
            }
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
                Self::Passing(format!("{doing}: {}", words(&chain(error))))
            }
            _ => Self::Refused(format!("{doing}: {}", words(&chain(error)))),
        }
    }

    fn of_answer<E>(doing: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        if status < 300 {
            return Self::Refused(format!("{doing}: {}", words(&chain(error))));
        }
        let code = error.code().unwrap_or_default();
        let said = words(error.message().unwrap_or_default());
        let text = format!("{doing}: {status} {} {said}", words(code)).trim_end().to_owned();
        match (status, code) {
            (404, "NoSuchKey") => Self::NoSuchKey,
            (412, _) | (409, "ConditionalRequestConflict") => Self::Exists,
            (416, _) => Self::BeyondEnd,
            (507, _) | (_, "QuotaExceeded" | "InsufficientCapacity" | "XMinioStorageFull") => Self::Full,
            (400 | 405 | 411 | 501, _) => Self::NotKnown(text),
            (429 | 500..=599, _) => Self::Passing(text),
            _ => Self::Refused(text),
        }
    }
}

/// An error and what is behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What an endpoint said, cut and without control characters: it goes to logs and to operators.
fn words(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(WORDS_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_and_clean() {
        assert_eq!(words("a\nb\u{1b}[2J"), "ab[2J");
        assert_eq!(words(&"x".repeat(1000)).len(), WORDS_CHARS_MAX);
    }
}
