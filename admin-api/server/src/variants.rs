//! Gives each variant of a tagged type a schema of its own in the document, and its tag a discriminator; and lets pages
//! refer to the schema of their items. Programs that make clients of the document leave out variants that have no name,
//! and all that holds one, and make a second type of what stands in a page.

use std::collections::BTreeMap;
use utoipa::openapi::schema::{ArrayItems, Discriminator};
use utoipa::openapi::{Components, Object, Ref, RefOr, Schema};

/// What every reference to a schema begins with.
const SCHEMAS: &str = "#/components/schemas/";

/// Names the variants of every schema that is one of several objects, told apart by a property.
pub(crate) fn name(components: &mut Components) {
    let mut named = BTreeMap::new();
    let schemas = components.schemas.clone();
    for (name, schema) in &mut components.schemas {
        let RefOr::T(Schema::OneOf(one_of)) = schema else { continue };
        let variants: Option<Vec<Object>> = one_of.items.iter().map(|item| whole(item, &schemas)).collect();
        let Some(variants) = variants else { continue };
        let Some(tag) = tag_of(&variants) else { continue };
        let mut discriminator = Discriminator::new(&tag);
        one_of.items.clear();
        for mut variant in variants {
            let Some(value) = only_value(&variant, &tag) else { continue };
            describe(&mut variant, &tag);
            let variant_name = format!("{name}{}", camel_case(&value));
            discriminator.mapping.insert(value, format!("{SCHEMAS}{variant_name}"));
            one_of.items.push(RefOr::Ref(Ref::from_schema_name(&variant_name)));
            named.insert(variant_name, RefOr::T(Schema::Object(variant)));
        }
        one_of.discriminator = Some(discriminator);
    }
    components.schemas.extend(named);
}

/// Lets the page of each schema refer to it.
pub(crate) fn refer_in_pages(components: &mut Components) {
    let names: Vec<String> = components.schemas.keys().cloned().collect();
    for name in names {
        let page = components.schemas.get_mut(&format!("Page_{name}"));
        if let Some(RefOr::T(Schema::Object(page))) = page
            && let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items")
        {
            items.items = ArrayItems::RefOrSchema(Box::new(RefOr::Ref(Ref::from_schema_name(&name))));
        }
    }
}

/// A variant as one object, with what it refers to in it.
fn whole(item: &RefOr<Schema>, schemas: &BTreeMap<String, RefOr<Schema>>) -> Option<Object> {
    match item {
        RefOr::Ref(reference) => whole(schemas.get(reference.ref_location.strip_prefix(SCHEMAS)?)?, schemas),
        RefOr::T(Schema::Object(object)) => Some(object.clone()),
        RefOr::T(Schema::AllOf(all_of)) => {
            let mut sum = Object::new();
            sum.description = all_of.description.clone();
            for part in &all_of.items {
                let part = whole(part, schemas)?;
                sum.required.extend(part.required);
                sum.properties.extend(part.properties);
            }
            Some(sum)
        }
        RefOr::T(_) => None,
    }
}

/// Says what the tag of a variant is for.
fn describe(variant: &mut Object, tag: &str) {
    if let Some(RefOr::T(Schema::Object(tag))) = variant.properties.get_mut(tag) {
        tag.description.get_or_insert_with(|| "Which of the kinds it is.".to_owned());
    }
}

/// The property that has one value in each variant.
fn tag_of(variants: &[Object]) -> Option<String> {
    let mut names = variants.first()?.properties.keys();
    names.find(|name| variants.iter().all(|variant| only_value(variant, name).is_some())).cloned()
}

/// The value of a property that can have but one.
fn only_value(variant: &Object, property: &str) -> Option<String> {
    let RefOr::T(Schema::Object(property)) = variant.properties.get(property)? else { return None };
    match property.enum_values.as_deref()? {
        [value] => value.as_str().map(str::to_owned),
        _ => None,
    }
}

fn camel_case(words: &str) -> String {
    let word = |word: &str| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default();
    words.split('_').map(word).collect()
}
