use super::find;

/// The version found beside files, from the folder `start`, with the file that says it.
fn found(files: &[(&str, &str)], start: &str) -> Option<(u16, String)> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::create_dir_all(folder.path().join(start)).unwrap();
    find(&folder.path().join(start)).map(|found| (found.major, found.file.display().to_string()))
}

fn at(version: u16, file: &str) -> Option<(u16, String)> {
    Some((version, file.to_owned()))
}

#[test]
fn compose_files_say_it() {
    let compose = "services:\n  cache: {image: 'redis:7'}\n  db:\n    image: postgres:${POSTGRES_VERSION:-16}-alpine\n";
    assert_eq!(found(&[("docker-compose.yml", compose)], "db/migrations"), at(16, "docker-compose.yml"));
    // A comment, and the name of another service, are no images.
    let none = "services:\n  app:\n    # image: postgres:13\n    image: example/app:12\n    environment: {DB: 'postgres:11'}\n";
    assert_eq!(found(&[("compose.yaml", none)], "."), None);
    assert_eq!(found(&[("compose.yaml", "services: [unclosed")], "."), None);
}

#[test]
fn workflows_run_every_value_of_their_matrix() {
    let workflow = "jobs:\n  test:\n    strategy: {matrix: {pg: [17, 15, 16]}}\n    services:\n      db:\n        image: postgres:${{ matrix.pg }}\n";
    assert_eq!(found(&[(".github/workflows/ci.yml", workflow)], "migrations"), at(15, ".github/workflows/ci.yml"));
    let by_env = "env: {PG: '17'}\njobs: {test: {container: {image: 'node:20'}, services: {db: {image: 'postgis/postgis:${{ env.PG }}-3.5'}}}}";
    assert_eq!(found(&[(".github/workflows/ci.yaml", by_env)], "."), at(17, ".github/workflows/ci.yaml"));
    let gitlab = "test:\n  services:\n    - postgres:15\n    - name: redis:7\n";
    assert_eq!(found(&[(".gitlab-ci.yml", gitlab)], "."), at(15, ".gitlab-ci.yml"));
}

#[test]
fn production_outweighs_development() {
    let compose = ("docker-compose.yml", "services: {db: {image: 'postgres:17'}}");
    let instance =
        "resource \"aws_db_instance\" \"main\" {\n  engine         = \"postgres\"\n  engine_version = var.pg\n}\n";
    let variables = "variable \"pg\" {\n  type    = string\n  default = \"15.7\"\n}\n";
    let files = [compose, ("terraform/prod/db.tf", instance), ("terraform/prod/variables.tf", variables)];
    assert_eq!(found(&files, "."), at(15, "terraform/prod/db.tf"));
    let other = "resource \"aws_db_instance\" \"old\" {\n  engine = \"mysql\"\n  engine_version = \"8.0\"\n}\n";
    assert_eq!(found(&[compose, ("infra/db.tf", other)], "."), at(17, "docker-compose.yml"));
    let google = "resource \"google_sql_database_instance\" \"it\" { database_version = \"POSTGRES_16\" }";
    assert_eq!(found(&[("main.tf", google)], "db"), at(16, "main.tf"));
    assert_eq!(
        found(&[compose, ("supabase/config.toml", "[db]\nmajor_version = 15\n")], "supabase/migrations"),
        at(15, "supabase/config.toml")
    );
    assert_eq!(
        found(&[("render.yaml", "databases: [{name: db, postgresMajorVersion: '16'}]")], "."),
        at(16, "render.yaml")
    );
}

#[test]
fn the_closest_files_count() {
    let files = [
        (".tool-versions", "nodejs 20.1\npostgres 14.9 # local\n"),
        ("services/pay/mise.toml", "[tools]\npostgres = \"17\"\n"),
    ];
    assert_eq!(found(&files, "services/pay/migrations"), at(17, "services/pay/mise.toml"));
    assert_eq!(found(&files, "services/user/migrations"), at(14, ".tool-versions"));
}
