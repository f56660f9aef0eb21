//! Object lock between headers, XML and the domain.

use super::times;
use cofre_objects::{LockMode, Retention, WantedLock};
use s3s::dto::{ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode, Timestamp};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

/// The lock that the headers of a write ask for.
pub(crate) fn wanted(
    mode: Option<&ObjectLockMode>,
    until: Option<&Timestamp>,
    hold: Option<&ObjectLockLegalHoldStatus>,
) -> S3Result<WantedLock> {
    let retention = match (mode, until) {
        (None, None) => None,
        (Some(mode), Some(until)) => {
            let mode = parse_mode(mode.as_str())
                .ok_or_else(|| s3_error!(InvalidArgument, "Unknown wormMode directive in x-amz-object-lock-mode."))?;
            Some(Retention { mode, until: times::to_keep("x-amz-object-lock-retain-until-date", until)? })
        }
        _ => {
            return Err(s3_error!(
                InvalidArgument,
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
            ));
        }
    };
    let unknown = || s3_error!(InvalidArgument, "Legal Hold must be either of 'ON' or 'OFF'");
    let legal_hold = hold.map(|hold| parse_hold(hold).ok_or_else(unknown)).transpose()?;
    Ok(WantedLock { retention, legal_hold })
}

/// The retention of a `Retention` document; an empty one takes the retention back.
pub(crate) fn retention(document: &ObjectLockRetention) -> S3Result<Option<Retention>> {
    match (&document.mode, &document.retain_until_date) {
        (None, None) => Ok(None),
        (Some(mode), Some(until)) => {
            let mode = parse_mode(mode.as_str()).ok_or_else(malformed)?;
            Ok(Some(Retention { mode, until: times::to_keep("RetainUntilDate", until)? }))
        }
        _ => Err(malformed()),
    }
}

/// A mode by its name.
pub(crate) fn parse_mode(mode: &str) -> Option<LockMode> {
    match mode {
        ObjectLockRetentionMode::GOVERNANCE => Some(LockMode::Governance),
        ObjectLockRetentionMode::COMPLIANCE => Some(LockMode::Compliance),
        _ => None,
    }
}

/// The name of a mode.
pub(crate) const fn mode_name(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Governance => ObjectLockRetentionMode::GOVERNANCE,
        LockMode::Compliance => ObjectLockRetentionMode::COMPLIANCE,
    }
}

/// Whether a hold is on.
pub(crate) fn parse_hold(status: &ObjectLockLegalHoldStatus) -> Option<bool> {
    match status.as_str() {
        ObjectLockLegalHoldStatus::ON => Some(true),
        ObjectLockLegalHoldStatus::OFF => Some(false),
        _ => None,
    }
}

/// The name of a hold's state.
pub(crate) fn hold_to_dto(hold: bool) -> ObjectLockLegalHoldStatus {
    ObjectLockLegalHoldStatus::from_static(if hold {
        ObjectLockLegalHoldStatus::ON
    } else {
        ObjectLockLegalHoldStatus::OFF
    })
}

/// The answer to a document that is not of its schema.
pub(crate) fn malformed() -> S3Error {
    S3Error::new(S3ErrorCode::MalformedXML)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_types::Timestamp as Moment;

    #[test]
    fn a_lock_is_whole_or_refused() {
        let mode = |name: &'static str| ObjectLockMode::from_static(name);
        let until = times::to_dto(Moment::from_secs(9));
        let asked = wanted(Some(&mode("COMPLIANCE")), Some(&until), Some(&hold_to_dto(true))).unwrap();
        let kept = Retention { mode: LockMode::Compliance, until: Moment::from_secs(9) };
        assert_eq!(asked, WantedLock { retention: Some(kept), legal_hold: Some(true) });
        assert_eq!(wanted(None, None, None).unwrap(), WantedLock::default());
        assert!(wanted(Some(&mode("COMPLIANCE")), None, None).is_err());
        assert!(wanted(None, Some(&until), None).is_err());
        assert!(wanted(Some(&mode("compliance")), Some(&until), None).is_err());
        assert_eq!(retention(&ObjectLockRetention::default()).unwrap(), None);
    }
}
