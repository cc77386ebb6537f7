//! Sockets that do what no client should, and networks that die.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use rollcall_tests::{Follower, Hospital, Proxy, Server, Socket};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        http::{HeaderValue, header},
    },
};

use crate::{audit, calm, connections_lost, report, scaled};

/// A dashboard on a TCP connection of its own, which takes up little by itself.
async fn bare_dashboard(server: &Server, authorization: &str, v1: bool) -> WebSocketStream<TcpStream> {
    let address: SocketAddr = server.address.strip_prefix("http://").unwrap().parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(address).await.unwrap();
    let mut request = server.socket_address("/ws/doctor-status/").into_client_request().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
    if v1 {
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("rollcall.v1"));
    }
    client_async(request, stream).await.unwrap().0
}

/// Reads what has piled up: how many events, and the close code behind them.
async fn read_at_last(socket: &mut WebSocketStream<TcpStream>) -> (usize, Option<u16>) {
    let mut events = 0;
    loop {
        match timeout(Duration::from_secs(10), socket.next()).await {
            Ok(Some(Ok(Message::Close(frame)))) => return (events, frame.map(|frame| frame.code.into())),
            Ok(Some(Ok(Message::Text(text)))) => events += usize::from(text.contains("doctor_login_logout")),
            other => panic!("after {events} events: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_dashboard_that_never_reads_is_closed_and_nobody_else_notices() {
    let server = calm();
    // An event there is over 32 KiB, so that it does not take ten thousand of them.
    let hospital = Hospital::of_long_names(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut well = Follower::start(server, admin.authorization());
    let mut deaf = bare_dashboard(server, &admin.authorization(), false).await;
    let mut deaf_v1 = bare_dashboard(server, &admin.authorization(), true).await;
    well.hears(0, Duration::from_secs(5)).await;
    let (mut sent, mut slowest) = (0, Duration::ZERO);
    let mut burst = async |pairs: u64| {
        for _ in 0..pairs {
            ann.go_live().await;
            let called = Instant::now();
            ann.leave().await;
            sent += 2;
            well.hears(sent, Duration::from_secs(5)).await;
            slowest = slowest.max(called.elapsed());
        }
        // The alarm has looked by then.
        sleep(Duration::from_secs(4)).await;
        sent
    };
    // It claims to have seen what is yet to come; a look of the alarm later it is taken at its true word.
    deaf_v1.send(Message::text(r#"{"type":"ack","seq":1000000}"#)).await.unwrap();
    burst(1).await;
    let most_unread = burst(130).await;
    sleep(Duration::from_secs(30)).await;
    let sent = burst(20).await;

    let (events, code) = read_at_last(&mut deaf).await;
    assert_eq!(code, Some(1013));
    let (events_v1, code) = read_at_last(&mut deaf_v1).await;
    assert_eq!(code, Some(1013));
    assert!(events as u64 <= most_unread && events_v1 as u64 <= most_unread, "{events}, {events_v1} of {sent}");
    report(
        7,
        "a_dashboard_that_never_reads_is_closed_and_nobody_else_notices",
        format!(
            "two dashboards never read, {sent} events of 33 KiB: closed with 1013, and sent nothing more, after {events} (original) and {events_v1} (v1) of them"
        ),
        &format!("nothing; a dashboard that reads heard each event within {} ms of its call", slowest.as_millis()),
    );
}

#[tokio::test]
async fn a_half_open_socket_leaves_the_registry_within_120_seconds() {
    let server = calm();
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let proxy = Proxy::start(server).await;
    let path = format!("/ws/connect/?email={}", hospital.email("ann"));
    let mut socket = Socket::open_at(&proxy.address, &path).await;
    socket.json().await;
    // A quiet client that never pings is left to TCP, and must outlive all this.
    let mut quiet = hospital.connect("user").await;
    quiet.json().await;
    ann.go_live().await;
    socket.send("ping").await;
    assert_eq!(socket.text().await, "pong");
    proxy.freeze();
    let frozen = Instant::now();
    let listed = async || admin.get("/api/hms/active-connections").await.json();
    assert_eq!(listed().await["count"], 2);
    while listed().await["count"] != 1 {
        assert!(frozen.elapsed() < Duration::from_secs(120), "still listed");
        sleep(Duration::from_millis(500)).await;
    }
    let gone = frozen.elapsed();
    assert!(gone > Duration::from_secs(85), "gone after {gone:?}, though 90 s of silence are allowed");
    assert_eq!(listed().await["active_connections"][0]["email"], hospital.email("user"));
    sleep(Duration::from_secs(8)).await;
    assert_eq!(connections_lost(&audit(&admin).await), 1);
    drop(quiet);
    report(
        8,
        "a_half_open_socket_leaves_the_registry_within_120_seconds",
        format!(
            "a proxy freezes a doctor's socket after a ping: out of the registry after {:.0} s",
            gone.as_secs_f64()
        ),
        "nothing: one logout, `connection_lost`, after the grace; a client that never pings stays",
    );
}

#[tokio::test]
async fn broken_frames_and_floods_kill_their_own_socket_at_most() {
    let server = calm();
    let hospital = Hospital::fresh(server);
    let (admin, ann) = (hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    let mut dashboard = hospital.dashboard("").await;
    dashboard.json().await;
    let mut expected = 0;
    let oversized = [&[0x81, 0xff][..], &u64::MAX.to_be_bytes(), &[1, 2, 3, 4]].concat();
    let bad_opcode = vec![0x8b, 0x80, 1, 2, 3, 4];
    // "ping", masked with zeros: text, which the runtime answers; and the frame of that name.
    let pings = [0x81, 0x84, 0, 0, 0, 0, b'p', b'i', b'n', b'g'].repeat(scaled(2_000, 20_000));
    let ping_frames = [0x89, 0x80, 0, 0, 0, 0].repeat(scaled(2_000, 20_000));
    for bytes in [oversized, bad_opcode, pings, ping_frames] {
        let mut socket = bare_dashboard(server, &admin.authorization(), true).await;
        // The server may have given up before all is written.
        let _ = timeout(Duration::from_secs(5), socket.get_mut().write_all(&bytes)).await;
        for call in [ann.go_live().await, ann.leave().await] {
            assert_eq!(call["changed"], true);
            expected += 1;
            assert_eq!(dashboard.json().await["seq"], expected);
        }
    }
    report(
        12,
        "broken_frames_and_floods_kill_their_own_socket_at_most",
        "a frame header of 2^64 bytes, a reserved opcode, floods of text pings and of ping frames".into(),
        "nothing: another dashboard hears every event",
    );
}
