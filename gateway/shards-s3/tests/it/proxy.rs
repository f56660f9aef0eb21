//! A proxy that hands requests on, but for those that it was told to spoil.

use crate::endpoint::Endpoint;
use cofre_runtime::{Task, spawn};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is never answered.
    Hang,
    /// It is answered with this status and body, and goes no further.
    Answer(u16, &'static str),
    /// The answer's body breaks off after so many bytes.
    Cut(usize),
    /// The byte of the answer's body at this place is another.
    Flip(usize),
}

struct Rule {
    method: Method,
    target: &'static str,
    fault: Fault,
    /// How often it holds yet.
    left: usize,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    seen: Vec<String>,
}

pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: Task<()>,
}

type Body = http_body_util::combinators::BoxBody<Bytes, std::io::Error>;

impl Proxy {
    pub async fn before(endpoint: &Endpoint) -> Self {
        let upstream = endpoint.address;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        let task = spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                let state = shared.clone();
                let service = service_fn(move |request| answer(upstream, state.clone(), request));
                spawn(async move {
                    // A client that goes away is no news.
                    let server = hyper::server::conn::http1::Builder::new();
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, state, task }
    }

    /// Spoils the next `times` requests with this method whose path and query hold `target`.
    pub fn spoil(&self, method: Method, target: &'static str, fault: Fault, times: usize) {
        self.state.lock().unwrap().rules.push(Rule { method, target, fault, left: times });
    }

    /// Hands everything on again.
    pub fn heal(&self) {
        self.state.lock().unwrap().rules.clear();
    }

    /// How many requests so far had this method and hold `target`.
    pub fn seen(&self, method: &Method, target: &str) -> usize {
        let state = self.state.lock().unwrap();
        state.seen.iter().filter(|seen| seen.starts_with(method.as_str()) && seen.contains(target)).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn fault(&mut self, request: &Request<Incoming>) -> Option<Fault> {
        let target = request.uri().to_string();
        self.seen.push(format!("{} {target}", request.method()));
        let rule = self
            .rules
            .iter_mut()
            .find(|rule| rule.left > 0 && rule.method == *request.method() && target.contains(rule.target))?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }
}

async fn answer(
    upstream: SocketAddr,
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let fault = state.lock().unwrap().fault(&request);
    match fault {
        None => Ok(forward(upstream, request).await.map(|body| whole(body, None))),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Answer(status, body)) => {
            // What was sent is read, as any server does.
            let _ = request.into_body().collect().await;
            let mut response = Response::new(whole(Bytes::from_static(body.as_bytes()), None));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            Ok(response)
        }
        Some(Fault::Cut(after)) => Ok(forward(upstream, request).await.map(|body| whole(body, Some(after)))),
        Some(Fault::Flip(at)) => Ok(forward(upstream, request).await.map(|body| {
            let mut body = body.to_vec();
            body[at] ^= 0x10;
            whole(body.into(), None)
        })),
    }
}

/// The answer with its body gathered; headers stand as they are.
async fn forward(upstream: SocketAddr, request: Request<Incoming>) -> Response<Bytes> {
    let socket = TcpStream::connect(upstream).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
    spawn(connection);
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

fn whole(bytes: Bytes, cut: Option<usize>) -> Body {
    let Some(after) = cut else { return Full::new(bytes).map_err(|never| match never {}).boxed() };
    let pieces = [Ok(Frame::data(bytes.slice(..after))), Err(std::io::Error::other("cut"))];
    BodyExt::boxed(StreamBody::new(futures_util::stream::iter(pieces)))
}
