//! Both sockets where a session is needed, and what production refuses

use rollcall_tests::{Closed, Hospital, Server, Session, Socket, strict};

fn cookie(session: &Session) -> String {
    format!("rollcall_session={}", session.token)
}

#[tokio::test]
async fn a_dashboard_needs_a_session() {
    let hospital = Hospital::fresh(strict());
    let mut anonymous = Socket::open(strict(), "/ws/doctor-status/", &[], true).await;
    assert_eq!(anonymous.closed().await.code, 4001);
    let mut dashboard = hospital.dashboard("").await;
    assert_eq!(dashboard.json().await["type"], "snapshot");
}

#[tokio::test]
async fn a_connection_needs_the_session_of_that_email_and_every_refusal_reads_the_same() {
    let hospital = Hospital::fresh(strict());
    let (user, ann) = (hospital.sign_in("user").await, hospital.sign_in("ann").await);
    let path = format!("/ws/connect/?email={}", hospital.email("user"));
    let join = async |path: &str, headers: &[(&str, &str)]| Socket::open(strict(), path, headers, false).await;

    let mut welcome = join(&path, &[("authorization", &user.authorization())]).await;
    assert_eq!(welcome.json().await["type"], "connection_established");

    let refused = Closed { code: 4001, reason: "Email or credentials not accepted".into() };
    let unknown = "Token 0000000000000000000000000000000000000000000000000000000000000000";
    assert_eq!(join("/ws/connect/?email=nobody@example.com", &[]).await.closed().await, refused);
    assert_eq!(join(&path, &[]).await.closed().await, refused);
    for authorization in [ann.authorization().as_str(), unknown, "Token x"] {
        assert_eq!(join(&path, &[("authorization", authorization)]).await.closed().await, refused, "{authorization}");
    }
}

#[tokio::test]
async fn a_page_joins_with_its_cookie_from_our_origin_only() {
    let hospital = Hospital::fresh(strict());
    let admin = hospital.sign_in("admin").await;
    let cookie = cookie(&admin);
    let own = strict().address.as_str();
    let join = async |origin: Option<&str>| {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        Socket::try_open(strict(), "/ws/doctor-status/", &headers, true).await
    };
    let other_port = "http://127.0.0.1:1";
    for foreign in [None, Some("null"), Some("https://evil.example"), Some(&format!("{own}.evil")), Some(other_port)] {
        let Err(refused) = join(foreign).await else { panic!("{foreign:?} was let in") };
        assert_eq!(refused.status(), 403, "{foreign:?}");
    }
    for cookie in ["rollcall_session=x", "theme=dark; rollcall_session="] {
        let joined = Socket::try_open(strict(), "/ws/doctor-status/", &[("cookie", cookie)], true).await;
        let Err(refused) = joined else { panic!("{cookie} was let in") };
        assert_eq!(refused.status(), 403, "{cookie}");
    }
    let mut dashboard = join(Some(own)).await.ok().unwrap();
    assert_eq!(dashboard.json().await["type"], "snapshot");
}

#[tokio::test]
async fn open_sockets_are_refused_in_production() {
    static PRODUCTION: std::sync::OnceLock<Server> = std::sync::OnceLock::new();
    let server = PRODUCTION.get_or_init(|| Server::start(&["--var", "ENVIRONMENT:production"]));
    for path in ["/ws/doctor-status/", "/ws/connect/?email=user1@example.com"] {
        let Err(refused) = Socket::try_open(server, path, &[], false).await else { panic!("{path} was let in") };
        assert_eq!(refused.status(), 503, "{path}");
    }
}
