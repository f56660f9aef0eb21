use crate::Invalid;
use std::fmt;

/// Name of a region, as signatures and buckets have it: 1 to 63 lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Region(String);

impl Region {
    /// Checks a name.
    ///
    /// # Errors
    /// `region` if it breaks the rule.
    pub fn parse(name: String) -> Result<Self, Invalid> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=63).contains(&name.len()) && name.bytes().all(legal) {
            Ok(Self(name))
        } else {
            Err(Invalid::new("region", "must have 1 to 63 lower-case letters, digits and hyphens"))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_a_short_word() {
        for good in ["us-east-1", "nas", "0", &"a".repeat(63)] {
            assert_eq!(Region::parse(good.to_owned()).unwrap().as_str(), good);
        }
        for bad in ["", "US-EAST-1", "a b", "a.b", "é", &"a".repeat(64)] {
            assert_eq!(Region::parse(bad.to_owned()).unwrap_err().field, "region", "{bad}");
        }
    }
}
