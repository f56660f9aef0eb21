use super::{LogKeys, Logging};
use crate::bucket::ConfigKind;
use crate::domain::Objects;
use crate::error::Error;
use cofre_access_log::day_of;
use cofre_catalog::records::{AclGrantee, BucketConfig};
use cofre_iam::{Action, Caller};
use cofre_types::{BucketName, ObjectKey, Timestamp};

/// Longest prefix, in bytes: what else a key has must fit beside it.
const PREFIX_BYTES_MAX: usize = 800;

impl Objects {
    /// Where the access log of a bucket goes; none if it is not logged.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn bucket_logging(&self, caller: &Caller, name: &BucketName) -> Result<Option<Logging>, Error> {
        let bucket = self.bucket_for(caller, Action::GetBucketLogging, name, None).await?;
        let parse = |document: &str| serde_json::from_str(document).map_err(|e| Error::Internal(e.to_string()));
        bucket.logging.as_ref().map(|logged| parse(&logged.destination)).transpose()
    }

    /// Sets where the access log of a bucket goes, or ends it; lines that wait are still delivered. The target
    /// must let logs in, but for the conditions of its policy; it is asked again at each delivery, as that may
    /// change at any time. A grant to the owner says nothing that does not hold, and is left out.
    ///
    /// # Errors
    /// [`Error::LogTarget`] if the target is not there, another's, does not let logs in or has Requester Pays;
    /// [`Error::AclNotSupported`] for grants where the target's ownership controls disable lists.
    pub async fn put_bucket_logging(
        &self,
        caller: &Caller,
        name: &BucketName,
        logging: Option<Logging>,
    ) -> Result<(), Error> {
        let bucket = self.bucket_for(caller, Action::PutBucketLogging, name, None).await?;
        let Some(mut logging) = logging else {
            return self.delete_bucket_config(caller, name, ConfigKind::Logging).await;
        };
        let target = match self.bucket(&logging.bucket).await {
            Ok(target) => target,
            Err(Error::NoSuchBucket) => return Err(Error::LogTarget("The target bucket for logging does not exist")),
            Err(error) => return Err(error),
        };
        if target.record.owner != bucket.record.owner {
            return Err(Error::LogTarget(
                "The owner for the bucket to be logged and the target bucket must be the same.",
            ));
        }
        logging.grants.retain(|grant| grant.grantee != AclGrantee::Account(target.record.owner));
        if !logging.grants.is_empty() && target.access.acls_disabled() {
            return Err(Error::AclNotSupported);
        }
        if logging.prefix.len() > PREFIX_BYTES_MAX {
            return Err(Error::InvalidRequest("TargetPrefix has more than 800 bytes"));
        }
        if target.requester_pays {
            return Err(Error::LogTarget("The target bucket for logging must not have Requester Pays enabled"));
        }
        let moment = Moment { delivered: self.now(), day: day_of(self.now()), unique: 0 };
        let key = logging.key(&bucket.name, bucket.record.owner, &bucket.record.region, moment)?;
        if !target.access.could_take_logs(&target.name, [key.as_str(), &logging.prefix]) {
            return Err(Error::LogTarget(
                "The target bucket must let logging.s3.amazonaws.com put objects in it by its policy, or its ACL must \
                 grant the log-delivery group WRITE and READ_ACP permissions",
            ));
        }
        let document = serde_json::to_string(&logging).map_err(|error| Error::Internal(error.to_string()))?;
        self.put_bucket_config(caller, name, BucketConfig::Logging(document)).await
    }
}

const DAY_NANOS: u64 = 86_400_000_000_000;

/// When and which: what tells log objects of one bucket apart.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moment {
    pub(super) delivered: Timestamp,
    /// Day of the requests, from 1970.
    pub(super) day: u32,
    pub(super) unique: u64,
}

impl Logging {
    /// The key of an object that holds lines of a bucket.
    pub(super) fn key(
        &self,
        source: &BucketName,
        owner: cofre_types::AccountId,
        region: &str,
        moment: Moment,
    ) -> Result<ObjectKey, Error> {
        let at = match self.keys {
            LogKeys::Simple | LogKeys::ByDeliveryTime => moment.delivered,
            LogKeys::ByEventTime => Timestamp(u64::from(moment.day) * DAY_NANOS),
        };
        let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0));
        let at = at.map_err(|error| Error::Internal(error.to_string()))?;
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second) = at.to_hms();
        let month = u8::from(month);
        let partition = match self.keys {
            LogKeys::Simple => String::new(),
            LogKeys::ByDeliveryTime | LogKeys::ByEventTime => {
                let account = cofre_iam::account_number(owner);
                format!("{account}/{region}/{source}/{year:04}/{month:02}/{day:02}/")
            }
        };
        let (prefix, unique) = (&self.prefix, moment.unique);
        let name = format!("{year:04}-{month:02}-{day:02}-{hour:02}-{minute:02}-{second:02}-{unique:016X}");
        Ok(ObjectKey::parse(&format!("{prefix}{partition}{name}"))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofre_types::AccountId;

    #[test]
    fn keys_are_those_of_aws() {
        let source = BucketName::parse("photos").unwrap();
        let moment = Moment { delivered: Timestamp::from_secs(1_700_000_000), day: 19_000, unique: 0xab };
        let key = |keys| {
            let bucket = BucketName::parse("logs").unwrap();
            let logging = Logging { bucket, prefix: "p/".to_owned(), keys, grants: Vec::new() };
            logging.key(&source, AccountId::from_bytes([0; 32]), "us-east-1", moment).unwrap().to_string()
        };
        assert_eq!(key(LogKeys::Simple), "p/2023-11-14-22-13-20-00000000000000AB");
        let partition = "p/000000000000/us-east-1/photos";
        assert_eq!(
            key(LogKeys::ByDeliveryTime),
            format!("{partition}/2023/11/14/2023-11-14-22-13-20-00000000000000AB")
        );
        assert_eq!(key(LogKeys::ByEventTime), format!("{partition}/2022/01/08/2022-01-08-00-00-00-00000000000000AB"));
    }
}
