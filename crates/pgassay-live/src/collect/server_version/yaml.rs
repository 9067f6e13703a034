//! Images of servers in Compose files and in those of CI.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Said, image};

/// The services of a Compose file; of a variable its default counts.
pub(super) fn compose(file: &Value) -> Vec<Said> {
    let services = file.get("services").and_then(Value::as_object);
    let images = services
        .into_iter()
        .flat_map(|services| services.values())
        .filter_map(|service| service.get("image")?.as_str());
    images.filter_map(|image| said(&with_defaults(image))).collect()
}

/// Every image below: under `image` or `name`, and in lists of services.
pub(super) fn images(file: &Value) -> Vec<Said> {
    let mut found = Vec::new();
    each_image(file, &mut |image| found.extend(said(image)));
    found
}

/// The jobs of a workflow of GitHub, with the values of their matrix and of `env`.
pub(super) fn workflow(file: &Value) -> Vec<Said> {
    let mut found = Vec::new();
    let jobs = file.get("jobs").and_then(Value::as_object);
    for job in jobs.into_iter().flat_map(|jobs| jobs.values()) {
        let values = values_of(file, job);
        each_image(job, &mut |image| found.extend(expanded(image, &values).iter().filter_map(|image| said(image))));
    }
    found
}

fn said(image: &str) -> Option<Said> {
    Some((image::version(image)?, format!("image {image}")))
}

fn each_image(value: &Value, take: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str() {
                    Some(image) if key == "image" || key == "name" => take(image),
                    _ => each_image(value, take),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                match item.as_str() {
                    Some(image) => take(image),
                    None => each_image(item, take),
                }
            }
        }
        _ => {}
    }
}

/// `${POSTGRES_VERSION:-16}` and `${POSTGRES_VERSION-16}` as 16: what others set is not known here.
fn with_defaults(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let inner = &rest[start + 2..start + length];
        out.push_str(&rest[..start]);
        out.push_str(inner.split_once('-').map_or("", |(_, default)| default));
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

/// What `${{ … }}` may name, each with its values.
fn values_of(file: &Value, job: &Value) -> BTreeMap<String, Vec<String>> {
    let mut values = BTreeMap::new();
    for env in [file.get("env"), job.get("env")].into_iter().flatten().filter_map(Value::as_object) {
        values.extend(env.iter().filter_map(|(key, value)| Some((format!("env.{key}"), vec![scalar(value)?]))));
    }
    let Some(matrix) = job.get("strategy").and_then(|strategy| strategy.get("matrix")?.as_object()) else {
        return values;
    };
    for (key, value) in matrix.iter().filter(|(key, _)| *key != "include" && *key != "exclude") {
        let list = value.as_array().map(|items| items.iter().filter_map(scalar).collect());
        values.insert(format!("matrix.{key}"), list.unwrap_or_default());
    }
    let included = matrix.get("include").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    for (key, value) in included.flatten() {
        values.entry(format!("matrix.{key}")).or_default().extend(scalar(value));
    }
    values
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An image with every value of the first expression in it; what is not known makes no image.
fn expanded(image: &str, values: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let Some((before, rest)) = image.split_once("${{") else { return vec![image.to_owned()] };
    let Some((name, after)) = rest.split_once("}}") else { return Vec::new() };
    let known = values.get(name.trim()).map(Vec::as_slice).unwrap_or_default();
    known.iter().map(|value| format!("{before}{value}{after}")).filter(|image| !image.contains("${{")).collect()
}
