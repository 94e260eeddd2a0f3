//! What `deploy` brings is what the program is: its configurations are complete, its
//! ports and times those of the program, and its manifests what they are to be read as.
//!
//! YAML is read by a Python (`DIALBACK_TEST_PYTHON`) that has `kubernetes-validate`,
//! which brings the schemas.

use crate::instance::{binary, skipped};
use dialback::server::Limits;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const SECRET: &str = "7f3c2a91be5d4c06a8e1f20b9d6475ce";
const NOBODY: &str = "AC00000000000000000000000000000000";

fn text(path: &str) -> String {
    fs::read_to_string(format!("{DEPLOY}/{path}")).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What `config check` says of a configuration with secrets in a directory of its own,
/// which it names by `place`.
fn checked(config: &str, place: &str, variables: &[(String, String)]) -> String {
    let dir = TempDir::new().unwrap();
    let secrets = dir.path().display().to_string();
    for (name, value) in [
        ("twilio_auth_token", SECRET),
        ("code_key", "3b1f0c7ad2e94586f10c27b59d8ea364"),
        ("pgpass", "postgres:5432:dialback:dialback:apassword\n"),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, value).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let config =
        config.replace(NOBODY, ACCOUNT).replace(place, &secrets).replace("/var/lib/dialback", &secrets);
    fs::write(dir.path().join("config.toml"), config).unwrap();
    let variables = variables.iter().map(|(name, value)| (name, value.replace(place, &secrets)));
    let checked = binary(dir.path()).envs(variables).args(["config", "check"]).output().unwrap();
    let said = [checked.stdout, checked.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(checked.status.success(), "{said}");
    said
}

/// What must be over before a process is killed, in seconds: the drain, and then the store.
fn stop_takes() -> i64 {
    i64::try_from(Limits::default().drain_timeout.as_secs()).unwrap() + 10
}

/// The pairs of the image's `ENV`.
fn image_env() -> Vec<(String, String)> {
    let text = text("docker/Dockerfile").replace("\\\n", " ");
    let line = text.lines().find_map(|line| line.strip_prefix("ENV ")).unwrap();
    line.split_whitespace()
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(k, v)| (k.into(), v.into()))
        .collect()
}

#[test]
fn the_configuration_is_complete_but_for_who_one_is() {
    let config = text("config.toml");
    let place = "/etc/dialback/secrets";
    let said = checked(&config, place, &[]);
    assert!(
        said.contains("listens on 127.0.0.1:8000 and is reached at https://verify.example.com"),
        "{said}"
    );
    assert!(said.lines().all(|line| line.starts_with("ok: ")), "{said}");
    // The unit hands the same files over as credentials.
    let unit = text("systemd/dialback.service");
    for name in ["twilio_auth_token", "code_key"] {
        assert!(unit.contains(&format!("\nLoadCredential={name}:{place}/{name}\n")), "{name}");
        assert!(config.contains(&format!("\"${{CREDENTIALS_DIRECTORY:-{place}}}/{name}\"")), "{name}");
    }
}

#[test]
fn the_unit_lets_the_server_drain_and_lets_it_do_little_else() {
    let unit = text("systemd/dialback.service");
    let value = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
    assert!(value("TimeoutStopSec=").parse::<i64>().unwrap() >= stop_takes());
    assert_eq!(value("ExecStart="), "/usr/bin/dialback --config /etc/dialback/config.toml serve");
    assert_eq!(value("User="), "dialback");
    assert!(text("systemd/dialback.sysusers").contains("\nu dialback "));
    assert_eq!(format!("/var/lib/{}", value("StateDirectory=")), value("WorkingDirectory="));
    let descriptors: usize = value("LimitNOFILE=").parse().unwrap();
    assert!(descriptors > 2 * Limits::default().max_connections, "{descriptors}");

    let mut analyze = Command::new("systemd-analyze");
    analyze
        .args(["security", "--offline=true", "--no-pager"])
        .arg(format!("{DEPLOY}/systemd/dialback.service"));
    let Ok(analyzed) = analyze.output() else {
        return skipped("the unit's exposure: systemd-analyze, of systemd 250 or later, turns it on");
    };
    let said = String::from_utf8_lossy(&analyzed.stdout).into_owned();
    let Some((_, level)) = said.split_once("Overall exposure level for dialback.service: ") else {
        return skipped("the unit's exposure: this systemd-analyze is older than 250");
    };
    let level: f64 = level.split_whitespace().next().unwrap().parse().unwrap();
    assert!(level < 2.0, "{said}");
}

#[test]
fn the_image_listens_and_is_asked_where_the_configuration_says() {
    let text = text("docker/Dockerfile");
    let env = image_env();
    let said = checked(&self::text("config.toml"), "/etc/dialback/secrets", &without_certificates(&env));
    assert!(said.contains("listens on 0.0.0.0:8000"), "{said}");
    assert_eq!(
        env.iter().find(|(key, _)| key == "SSL_CERT_FILE").unwrap().1,
        "/etc/ssl/certs/ca-certificates.crt"
    );
    for line in ["FROM scratch", "USER 65532:65532", "EXPOSE 8000", "STOPSIGNAL SIGTERM"] {
        assert!(text.lines().any(|own| own == line), "{line}");
    }
    let health = text.lines().find(|line| line.starts_with("HEALTHCHECK ")).unwrap();
    assert!(health.ends_with("CMD [\"/usr/bin/dialback\", \"health\"]"), "{health}");
    // The user of the image is the one that the root directory is made for.
    assert!(self::text("docker/rootfs").contains("\nuser=65532\n"));
}

/// Without what is a file of the image alone.
fn without_certificates(env: &[(String, String)]) -> Vec<(String, String)> {
    env.iter().filter(|(key, _)| key != "SSL_CERT_FILE").cloned().collect()
}

/// All documents of YAML files, each of them, where `is_kubernetes`, by its schema.
fn yaml(paths: &[&str], is_kubernetes: bool) -> Option<Vec<Value>> {
    const READ: &str = "import json, sys, yaml\nimport kubernetes_validate as schemas\nfor path in sys.argv[2:]:\n\
        \x20   for doc in yaml.safe_load_all(open(path)):\n\
        \x20       if sys.argv[1] == 'true': schemas.validate(doc, schemas.latest_version(), strict=True)\n\
        \x20       print(json.dumps(doc))\n";
    let Ok(python) = env::var("DIALBACK_TEST_PYTHON") else {
        skipped("manifests: set DIALBACK_TEST_PYTHON to a Python that has kubernetes-validate to turn it on");
        return None;
    };
    let has_it =
        Command::new(&python).args(["-c", "import kubernetes_validate"]).stderr(Stdio::null()).status();
    if !has_it.is_ok_and(|status| status.success()) {
        skipped("manifests: the Python of DIALBACK_TEST_PYTHON has no kubernetes-validate");
        return None;
    }
    let mut command = Command::new(python);
    command.args(["-c", READ, &is_kubernetes.to_string()]).current_dir(DEPLOY).args(paths);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn the_manifests_are_valid_and_ask_stop_and_shut_in_as_they_should() {
    let paths = ["kubernetes/dialback.yaml", "kubernetes/secret.example.yaml"];
    let Some(documents) = yaml(&paths, true) else { return };
    let of: BTreeMap<&str, &Value> =
        documents.iter().map(|one| (one["kind"].as_str().unwrap(), one)).collect();
    assert_eq!(of.len(), documents.len());
    let deployment = &of["Deployment"]["spec"];
    let pod = &deployment["template"]["spec"];
    let container = &pod["containers"][0];

    let config = of["ConfigMap"]["data"]["config.toml"].as_str().unwrap();
    let database =
        ("DATABASE_URL".to_owned(), "postgres://dialback:apassword@db.example.com/dialback".to_owned());
    assert_eq!(container["env"][0]["name"], json!(database.0));
    let mut env = without_certificates(&image_env());
    env.push(database);
    let said = checked(config, "/run/secrets/dialback", &env);
    assert!(said.contains("listens on 0.0.0.0:8000"), "{said}");

    assert_eq!(container["ports"], json!([{ "name": "http", "containerPort": 8000 }]));
    for (probe, path) in
        [("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")]
    {
        assert_eq!(container[probe]["httpGet"], json!({ "path": path, "port": "http" }), "{probe}");
    }
    let grace = pod["terminationGracePeriodSeconds"].as_i64().unwrap();
    let pause = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_i64().unwrap();
    assert!(grace >= pause + stop_takes(), "{grace}");

    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["runAsUser"], 65532);
    assert_eq!(
        container["securityContext"],
        json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        })
    );
    assert_eq!(
        (&pod["automountServiceAccountToken"], &pod["enableServiceLinks"]),
        (&json!(false), &json!(false))
    );

    let secret = of["Secret"]["stringData"].as_object().unwrap();
    let items = pod["volumes"][1]["secret"]["items"].as_array().unwrap();
    let from_env =
        container["env"].as_array().unwrap().iter().map(|one| &one["valueFrom"]["secretKeyRef"]["key"]);
    let used: BTreeSet<&str> =
        items.iter().map(|item| &item["key"]).chain(from_env).map(|key| key.as_str().unwrap()).collect();
    assert_eq!(used, secret.keys().map(String::as_str).collect(), "keys of the secret");

    let labels = &deployment["template"]["metadata"]["labels"];
    for selector in [
        &deployment["selector"]["matchLabels"],
        &of["Service"]["spec"]["selector"],
        &of["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        &of["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ] {
        assert_eq!(selector, labels);
    }
    let least = of["PodDisruptionBudget"]["spec"]["minAvailable"].as_i64().unwrap();
    assert!((1..deployment["replicas"].as_i64().unwrap()).contains(&least), "a node could never be emptied");
    assert_eq!(of["Service"]["spec"]["ports"][0]["targetPort"], "http");
}

#[test]
fn compose_gives_the_server_what_it_reads_and_takes_from_it_what_it_needs_not() {
    let Some(documents) = yaml(&["compose/compose.yaml"], false) else { return };
    let (services, secrets) = (&documents[0]["services"], &documents[0]["secrets"]);
    let server = &services["dialback"];
    let own = server["environment"].as_object().unwrap().iter();
    let mut env = without_certificates(&image_env());
    env.extend(own.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())));
    let said = checked(&text("config.toml"), "/run/secrets", &env);
    assert!(said.contains("listens on 0.0.0.0:8000"), "{said}");

    assert_eq!((&server["read_only"], &server["cap_drop"]), (&json!(true), &json!(["ALL"])));
    assert_eq!((&server["user"], &server["ports"]), (&json!("65532:65532"), &Value::Null));
    let grace = server["stop_grace_period"].as_str().unwrap().trim_end_matches('s');
    assert!(grace.parse::<i64>().unwrap() >= stop_takes(), "{grace}");
    for name in server["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .chain(services["postgres"]["secrets"].as_array().unwrap())
    {
        assert!(!secrets[name.as_str().unwrap()].is_null(), "{name}");
    }
    let caddyfile = text("proxies/Caddyfile");
    for variable in services["caddy"]["environment"].as_object().unwrap().keys() {
        assert!(caddyfile.contains(&format!("{{${variable}:")), "{variable}");
    }
    assert_eq!(services["caddy"]["environment"]["CADDY_UPSTREAM"], "dialback:8000");
    assert!(Path::new(&format!("{DEPLOY}/compose/../proxies/Caddyfile")).is_file());
}
