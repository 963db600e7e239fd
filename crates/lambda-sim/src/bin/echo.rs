//! The test function: speaks the Runtime API over a bare socket, so that it can also break every rule of it.
//!
//! The payload `{"do": ...}` determines what it does. An SQS event is processed record by record, as the bodies
//! determine. `ECHO_INIT` determines how Init goes.

use std::{
    io::{BufRead, BufReader, Error, Read, Result, Write},
    net::TcpStream,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

fn main() -> Result<()> {
    let mut api = Api::connect()?;
    match std::env::var("ECHO_INIT").unwrap_or_default().as_str() {
        "exit" => std::process::exit(3),
        "hang" => std::thread::sleep(Duration::from_mins(1)),
        "slow" => std::thread::sleep(Duration::from_secs(2)),
        "error" => {
            let body = json!({"errorType": "Config", "errorMessage": "no apps"});
            api.post("init/error", &[], body.to_string().as_bytes())?;
            std::process::exit(1);
        }
        _ => {}
    }
    loop {
        let invocation = api.next()?;
        match serde_json::from_slice(&invocation.payload) {
            Ok(Value::Object(payload)) if payload.contains_key("Records") => {
                let answer = process(&payload["Records"]);
                api.respond(&invocation.id, answer.as_bytes())?;
            }
            Ok(payload) => act(&mut api, &invocation, &payload)?,
            Err(_) => api.respond(&invocation.id, b"null").map(drop)?,
        }
    }
}

fn act(api: &mut Api, invocation: &Received, payload: &Value) -> Result<()> {
    let id = &invocation.id;
    let number = |key: &str| payload[key].as_u64().unwrap_or_default();
    let report = |what: &str, status: u16| eprintln!("{what}: {status}");
    match payload["do"].as_str().unwrap_or("echo") {
        "sleep" => {
            eprintln!("sleeping");
            std::thread::sleep(Duration::from_millis(number("ms")));
        }
        "fill" => {
            let memory = vec![1_u8; usize::try_from(number("bytes")).unwrap_or_default()];
            std::hint::black_box(&memory);
        }
        "exit" => std::process::exit(7),
        "answer and exit" => {
            api.respond(id, b"\"last words\"")?;
            std::process::exit(0);
        }
        "answer blindly and exit" => {
            let text = format!("\"{}\"", "x".repeat(usize::try_from(number("bytes")).unwrap_or_default()));
            api.send("POST", &format!("invocation/{id}/response"), &[], text.as_bytes())?;
            std::process::exit(0);
        }
        "answer and hang" => {
            api.respond(id, b"\"hanging\"")?;
            std::thread::sleep(Duration::from_mins(1));
        }
        "answer" => {
            let status = api.respond(id, payload["text"].as_str().unwrap_or_default().as_bytes())?;
            report("answer", status);
            return Ok(());
        }
        "answer twice" => {
            api.respond(id, b"1")?;
            let status = api.respond(id, b"2")?;
            report("second answer", status);
            return Ok(());
        }
        "answer another" => report("another", api.respond("8476a536-e9f4-11e8-9739-2dfe598c3fcd", b"{}")?),
        "next first" => report("next", api.get("invocation/next")?.status),
        "init error" => report("init error", api.post("init/error", &[], b"{}")?),
        "wrong path" => report("path", api.get("invocation/previous")?.status),
        "large" => {
            let text = format!("\"{}\"", "x".repeat(usize::try_from(number("bytes")).unwrap_or_default()));
            report("large", api.respond(id, text.as_bytes())?);
            return Ok(());
        }
        "error" => {
            let header = payload["type"].as_str().map(|value| ("Lambda-Runtime-Function-Error-Type", value));
            let body = json!({"errorType": "FromBody", "errorMessage": "as asked"}).to_string();
            let status = api.post(&format!("invocation/{id}/error"), header.as_slice(), body.as_bytes())?;
            report("error", status);
            return Ok(());
        }
        "print" => {
            writeln!(std::io::stdout(), "to stdout: {}", payload["text"])?;
            eprintln!("to stderr: {}", payload["text"]);
        }
        "describe" => {
            let env: Map<String, Value> = std::env::vars().map(|(name, value)| (name, value.into())).collect();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            let cwd = std::env::current_dir()?;
            let description = json!({"env": env, "headers": invocation.headers, "now": now, "cwd": cwd});
            return api.respond(id, description.to_string().as_bytes()).map(drop);
        }
        _ => {}
    }
    api.respond(id, &invocation.payload).map(drop)
}

/// `fail<3` fails until the third receive, `fail` always; `exit<2` and `hang<2` likewise. `answer:TEXT` makes TEXT the
/// whole answer.
fn process(records: &Value) -> String {
    let mut failed = Vec::new();
    for record in records.as_array().into_iter().flatten() {
        let body = record["body"].as_str().unwrap_or_default();
        let count: u32 =
            record["attributes"]["ApproximateReceiveCount"].as_str().and_then(|n| n.parse().ok()).unwrap_or(0);
        if let Some(text) = body.strip_prefix("answer:") {
            return text.to_owned();
        }
        let (word, until) = body.split_once('<').unwrap_or((body, "1000000"));
        let early = count < until.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        match word {
            "fail" if early => failed.push(json!({"itemIdentifier": record["messageId"]})),
            "exit" if early => std::process::exit(7),
            "hang" if early => std::thread::sleep(Duration::from_mins(1)),
            _ => {}
        }
    }
    json!({ "batchItemFailures": failed }).to_string()
}

struct Api {
    host: String,
    stream: BufReader<TcpStream>,
}

struct Received {
    id: String,
    headers: Map<String, Value>,
    payload: Vec<u8>,
}

struct Reply {
    status: u16,
    headers: Map<String, Value>,
    body: Vec<u8>,
}

impl Api {
    fn connect() -> Result<Self> {
        let host = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(Error::other)?;
        let stream = TcpStream::connect(&host)?;
        stream.set_nodelay(true)?;
        Ok(Self { host, stream: BufReader::new(stream) })
    }

    fn next(&mut self) -> Result<Received> {
        let reply = self.get("invocation/next")?;
        let id = reply.headers["lambda-runtime-aws-request-id"].as_str().unwrap_or_default().to_owned();
        Ok(Received { id, headers: reply.headers, payload: reply.body })
    }

    fn respond(&mut self, id: &str, body: &[u8]) -> Result<u16> {
        self.post(&format!("invocation/{id}/response"), &[], body)
    }

    fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<u16> {
        self.call("POST", path, headers, body).map(|reply| reply.status)
    }

    fn get(&mut self, path: &str) -> Result<Reply> {
        self.call("GET", path, &[], &[])
    }

    fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply> {
        self.send(method, path, headers, body)?;
        self.reply()
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<()> {
        let mut request = format!("{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        self.stream.get_mut().write_all(&bytes)
    }

    fn reply(&mut self) -> Result<Reply> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status =
            line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| Error::other("no reply"))?;
        let mut headers = Map::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.into());
        }
        let len = headers.get("content-length").and_then(Value::as_str).and_then(|len| len.parse().ok()).unwrap_or(0);
        let mut body = vec![0; len];
        self.stream.read_exact(&mut body)?;
        Ok(Reply { status, headers, body })
    }
}
