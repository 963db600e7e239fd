use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;

struct Client(TcpStream);

impl Client {
    async fn connect(api: &RuntimeApi) -> Self {
        Self(TcpStream::connect(api.address()).await.unwrap())
    }

    async fn send(&mut self, request: &str) {
        self.0.write_all(request.as_bytes()).await.unwrap();
    }

    /// One whole reply; replies of the API end with their body, whose length is in the header.
    async fn reply(&mut self) -> (u16, String) {
        let mut text = String::new();
        let mut buffer = [0; 4096];
        loop {
            let read = self.0.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "the connection ended after {text:?}");
            text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let len = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == len.unwrap().parse::<usize>().unwrap() {
                return (head[9..12].parse().unwrap(), text);
            }
        }
    }

    async fn get_next(&mut self) {
        self.send("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n").await;
    }

    async fn post(&mut self, path: &str, body: &str) -> u16 {
        let len = body.len();
        let request =
            format!("POST /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len}\r\n\r\n{body}");
        self.send(&request).await;
        self.reply().await.0
    }
}

fn offer(request_id: &str) -> Offer {
    Offer {
        request_id: request_id.to_owned(),
        deadline: Timestamp::from_millis(1_542_409_706_888),
        function_arn: "arn:aws:lambda:us-east-2:123456789012:function:f".to_owned(),
        trace_id: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1".to_owned(),
        payload: Bytes::from_static(b"{\"a\":1}"),
    }
}

async fn api() -> (RuntimeApi, Violations) {
    let violations = Violations::default();
    (RuntimeApi::start(violations.clone()).await.unwrap(), violations)
}

async fn waiting(api: &RuntimeApi) {
    assert!(matches!(api.ready().await, Ready::Waiting));
}

#[tokio::test]
async fn an_invocation_arrives_with_payload_and_all_headers() {
    let (api, violations) = api().await;
    let mut client = Client::connect(&api).await;
    client.get_next().await;
    waiting(&api).await;
    let answer = api.deliver(offer("r1")).unwrap();
    let (status, reply) = client.reply().await;
    assert_eq!(status, 200);
    for line in [
        "lambda-runtime-aws-request-id: r1\r\n",
        "lambda-runtime-deadline-ms: 1542409706888\r\n",
        "lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-2:123456789012:function:f\r\n",
        "lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1\r\n",
        "content-type: application/json\r\n",
        "\r\n\r\n{\"a\":1}",
    ] {
        assert!(reply.contains(line), "{line:?} is missing in {reply:?}");
    }
    assert_eq!(client.post("invocation/r1/response", "[1]").await, 202);
    assert!(matches!(answer.await.unwrap(), Answer::Response(body) if body == "[1]"));
    assert_eq!(violations.all(), []);
}

#[tokio::test]
async fn waiting_on_two_connections_at_once_is_a_violation() {
    let (api, violations) = api().await;
    let (mut first, mut second) = (Client::connect(&api).await, Client::connect(&api).await);
    first.get_next().await;
    waiting(&api).await;
    second.get_next().await;
    assert_eq!(second.reply().await.0, 403);
    assert_eq!(violations.all(), [Violation::NextTwice]);
}

#[tokio::test]
async fn a_poll_may_replace_one_whose_connection_is_closed() {
    let (api, violations) = api().await;
    let mut first = Client::connect(&api).await;
    first.get_next().await;
    waiting(&api).await;
    drop(first);
    api.drained(Duration::from_secs(5)).await;
    assert!(api.deliver(offer("r1")).is_err(), "no poll is open");

    let mut second = Client::connect(&api).await;
    second.get_next().await;
    waiting(&api).await;
    let _answer = api.deliver(offer("r2")).unwrap();
    assert_eq!(second.reply().await.0, 200);
    assert_eq!(violations.all(), []);
}

#[tokio::test]
async fn a_response_that_breaks_off_ends_the_invocation() {
    let (api, violations) = api().await;
    let mut client = Client::connect(&api).await;
    client.get_next().await;
    waiting(&api).await;
    let answer = api.deliver(offer("r1")).unwrap();
    client.reply().await;
    client
        .send("POST /2018-06-01/runtime/invocation/r1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[1,")
        .await;
    drop(client);
    let violation = Violation::TruncatedResponse { request_id: "r1".into() };
    assert!(matches!(answer.await.unwrap(), Answer::Refused(refused) if refused == violation));
    assert_eq!(violations.all(), [violation]);
}

#[tokio::test]
async fn a_chunked_response_is_read_as_one() {
    let (api, violations) = api().await;
    let mut client = Client::connect(&api).await;
    client.get_next().await;
    waiting(&api).await;
    let answer = api.deliver(offer("r1")).unwrap();
    client.reply().await;
    client
        .send(
            "POST /2018-06-01/runtime/invocation/r1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        )
        .await;
    for chunk in ["3\r\n[1,\r\n", "2\r\n2]\r\n", "0\r\n\r\n"] {
        client.send(chunk).await;
    }
    assert_eq!(client.reply().await.0, 202);
    assert!(matches!(answer.await.unwrap(), Answer::Response(body) if body == "[1,2]"));
    assert_eq!(violations.all(), []);
}
