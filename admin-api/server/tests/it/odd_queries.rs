//! Control characters and worse in every parameter that the document names.

use crate::bed::Bed;
use axum::http::Method;
use serde_json::Value;

const ODD: [&str; 8] = ["%00", "%01", "a%00b", "%7f", "%ff", "%ef%bf%be", "%f0%9f%98%80", "%25"];

#[tokio::test]
async fn odd_parameters_are_never_the_servers_fault() {
    let bed = Bed::with_shard().await;
    bed.make_bucket().await;
    let document = serde_json::to_value(cofre_admin_server::document(bed.admin.clone())).unwrap();
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        if path.ends_with("/stream") {
            continue;
        }
        for (method, operation) in operations.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
            for parameter in &parameters {
                let name = parameter["name"].as_str().unwrap();
                for odd in ODD {
                    let address = match parameter["in"].as_str().unwrap() {
                        "query" => format!("{}?{name}={odd}", path.replace("{name}", "bucket")),
                        "path" => path.replace(&format!("{{{name}}}"), odd),
                        _ => continue,
                    };
                    let address = address.replace("{id}", "1").replace("{name}", "bucket").replace("{revision}", "1");
                    let answer = bed.send(method.clone(), &address, &[("if-match", "*")], None).await;
                    assert!(answer.status.as_u16() < 500, "{method} {address}: {} {}", answer.status, answer.text);
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 200, "{asked} requests");
}
