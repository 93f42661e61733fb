//! Hands the locked version of linfa-clustering to the program, for its report.

fn main() {
    println!("cargo:rerun-if-changed=Cargo.lock");
    let lock = std::fs::read_to_string("Cargo.lock").unwrap_or_default();
    let version = lock
        .split("[[package]]")
        .find(|entry| entry.contains("name = \"linfa-clustering\""))
        .and_then(|entry| entry.split("version = \"").nth(1)?.split('"').next().map(String::from))
        .unwrap_or_default();
    println!("cargo:rustc-env=LINFA_VERSION={version}");
}
