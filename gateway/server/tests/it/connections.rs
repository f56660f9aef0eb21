use crate::bed::Bed;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than any time-out that these tests set.
const PATIENCE: Duration = Duration::from_secs(15);

async fn bed(idle_secs: u32, header_secs: u32) -> Bed {
    Bed::with(|args, _| {
        args.idle_timeout_secs = Some(idle_secs);
        args.header_timeout_secs = Some(header_secs);
        args.body_timeout_secs = Some(1);
    })
    .await
}

/// Whether the server closes the connection in time; gives what it said before.
async fn closed(stream: &mut TcpStream) -> Option<String> {
    let mut said = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await;
    // A reset closes it as well.
    reading.is_ok().then(|| String::from_utf8_lossy(&said).into_owned())
}

async fn open(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_stands_still_is_cut_off() {
    let bed = bed(60, 1).await;
    let mut slow = open(bed.running().admin, "GET /health/live HTTP/1.1\r\nhost: a\r\nx-slow: ").await;
    assert_eq!(closed(&mut slow).await.as_deref(), Some(""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_idles_is_closed_and_its_answer_came() {
    let bed = bed(1, 60).await;
    let mut idle = open(bed.running().admin, "GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let said = closed(&mut idle).await.expect("it is closed");
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_stands_still_is_given_up() {
    let bed = bed(60, 60).await;
    let token = std::fs::read_to_string(bed.folder.path().join("data/admin-token")).unwrap();
    let head = format!(
        "POST /v1/tokens HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        token.trim()
    );
    let mut slow = open(bed.running().admin, &head).await;
    let said = closed(&mut slow).await.expect("it is closed");
    assert!(said.starts_with("HTTP/1.1 4"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_bound_wait() {
    let bed = Bed::with(|args, _| args.connections_max = Some(1)).await;
    let address = bed.running().admin;
    let request = "GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut first = open(address, request).await;
    let mut answer = [0; 12];
    first.read_exact(&mut answer).await.unwrap();
    let mut second = open(address, request).await;
    let early = tokio::time::timeout(Duration::from_millis(300), second.read_exact(&mut answer)).await;
    assert!(early.is_err(), "a connection beyond the bound is served");
    drop(first);
    tokio::time::timeout(PATIENCE, second.read_exact(&mut answer)).await.expect("its turn comes").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_answers_while_every_thread_of_the_door_is_busy() {
    let bed = Bed::with(|_, _| {}).await;
    let address = bed.running().admin;
    let (busy, is_over) = (Arc::new(Barrier::new(3)), Arc::new(AtomicBool::new(false)));
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            let (busy, is_over) = (busy.clone(), is_over.clone());
            cofre_runtime::spawn(async move {
                busy.wait();
                while !is_over.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
            })
        })
        .collect();
    busy.wait();
    // This runs on a thread of the test's own.
    let asked = (|| {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
        let mut said = String::new();
        stream.read_to_string(&mut said).map(|_| said)
    })();
    is_over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let said = asked.expect("health answers");
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
}

/// What a listener answers to a GET, to its end.
async fn answer(address: SocketAddr, path: &str) -> String {
    let mut stream =
        open(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")).await;
    closed(&mut stream).await.expect("it is closed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_listens_alone_and_has_the_admin_api_only_if_it_is_let() {
    for (console_admin, expected) in [(None, "HTTP/1.1 404"), (Some(true), "HTTP/1.1 200")] {
        let mut bed = Bed::with(|args, _| {
            args.console_listen = Some("127.0.0.1:0".parse().unwrap());
            args.console_admin = console_admin;
        })
        .await;
        let (console, admin) = (bed.running().console.unwrap(), bed.running().admin);
        assert_ne!(console, admin);
        for address in [console, admin] {
            assert!(answer(address, "/files").await.contains("<!doctype html>"), "{address}");
            assert!(answer(address, "/console/v1/buckets").await.starts_with("HTTP/1.1 401"), "{address}");
        }
        for path in ["/health/ready", "/openapi.json"] {
            assert!(answer(console, path).await.starts_with(expected), "{path}");
            assert!(answer(admin, path).await.starts_with("HTTP/1.1 200"), "{path}");
        }
        bed.running.take().unwrap().drain().await.unwrap();
        assert!(TcpStream::connect(console).await.is_err(), "it is closed with the others");
    }
}
