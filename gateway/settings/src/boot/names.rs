//! Names that settings give: of hosts and of regions.

use super::resolve::invalid;
use crate::error::BootError;
use cofre_types::Region;

/// Most domains of virtual-host style, and most of websites.
const DOMAINS_MAX: usize = 100;

/// Host names of RFC 1123, without a port, in lower case.
pub(super) fn host_names(setting: &'static str, names: Vec<String>) -> Result<Vec<String>, BootError> {
    if names.len() > DOMAINS_MAX {
        return Err(invalid(setting, "must have at most 100 names"));
    }
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    let name = |name: String| {
        let legal = name.len() <= 253 && name.split('.').all(label);
        if legal { Ok(name.to_ascii_lowercase()) } else { Err(invalid(setting, format!("{name:?} is no host name"))) }
    };
    names.into_iter().map(name).collect()
}

/// Most regions.
const REGIONS_MAX: usize = 100;

/// The first region, and the others.
pub(super) fn regions(names: Vec<String>) -> Result<(String, Vec<String>), BootError> {
    for (at, name) in names.iter().enumerate() {
        Region::parse(name.clone()).map_err(|error| invalid("region", error.reason))?;
        if names[..at].contains(name) {
            return Err(invalid("region", format!("{name} is given twice")));
        }
    }
    if names.len() > REGIONS_MAX {
        return Err(invalid("region", format!("there may be at most {REGIONS_MAX}")));
    }
    let mut names = names.into_iter();
    let first = names.next().unwrap_or_else(|| "us-east-1".to_owned());
    Ok((first, names.collect()))
}
