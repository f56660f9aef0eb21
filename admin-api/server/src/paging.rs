use crate::ApiError;
use cofre_admin_types::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, Page};

/// The number of items to answer with.
pub(crate) fn limit(asked: Option<usize>) -> Result<usize, ApiError> {
    match asked {
        None => Ok(PAGE_ITEMS_DEFAULT),
        Some(limit) if (1..=PAGE_ITEMS_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(ApiError::invalid("limit", "must be 1 to 1,000")),
    }
}

/// A page of a list that is all in memory and in the order of `key`.
pub(crate) fn page<T>(
    items: Vec<T>,
    after: Option<&str>,
    limit: usize,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, ApiError> {
    let begin = match after {
        None => 0,
        Some(after) => {
            let place = items.iter().position(|item| key(item) == after);
            place.ok_or_else(|| ApiError::invalid("after", "is no item of this list any more; begin anew"))? + 1
        }
    };
    let more = items.len() > begin + limit;
    let items: Vec<_> = items.into_iter().skip(begin).take(limit).collect();
    let next = items.last().filter(|_| more).map(key);
    Ok(Page { items, next })
}
