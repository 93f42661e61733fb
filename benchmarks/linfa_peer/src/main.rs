//! Linfa's k-means as a contender: the Rust twin of `benchmarks/worker.py`.
//!
//! ```text
//! linfa_peer fit|predict f32|f64 DATA.npy START.npy ITERATIONS REPEAT RESULT.npy
//! ```
//!
//! Loads both matrices, says `{"ready": ..}`, then obeys one word per line on standard input:
//! `run` makes one timed call and answers `{"seconds": ..}`; `result` writes what the last call
//! returned (centres of a fit, labels of a prediction) and answers `{"path": ..}`.

use std::error::Error;
use std::io::{stdin, BufRead};
use std::time::Instant;

use linfa::prelude::*;
use linfa_clustering::{KMeans, KMeansInit};
use linfa_nn::distance::L2Dist;
use ndarray::{concatenate, Array2, Axis};
use ndarray_npy::{read_npy, write_npy, ReadableElement, WritableElement};
use rand_xoshiro::{rand_core::SeedableRng, Xoshiro256Plus};

type Model<F> = KMeans<F, L2Dist>;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.get(1).map(String::as_str) {
        Some("f32") => serve::<f32>(&args),
        Some("f64") => serve::<f64>(&args),
        _ => Err("usage: fit|predict f32|f64 DATA START ITERATIONS REPEAT RESULT".into()),
    }
}

fn serve<F>(args: &[String]) -> Result<(), Box<dyn Error>>
where
    F: linfa::Float + ReadableElement + WritableElement,
{
    let [task, _, data, start, iterations, repeat, path] = args else {
        return Err("seven arguments expected".into());
    };
    let start: Array2<F> = read_npy(start)?;
    let data = DatasetBase::from(read_npy::<_, Array2<F>>(data)?);
    let (iterations, repeat): (u64, u32) = (iterations.parse()?, repeat.parse()?);
    let fixed = if task == "predict" { Some(with_centres(&start)?) } else { None };
    println!(r#"{{"ready": true, "pools": [], "version": "{}"}}"#, env!("LINFA_VERSION"));

    let mut centres = start.clone();
    let mut labels = Vec::new();
    for line in stdin().lock().lines() {
        match line?.as_str() {
            "run" => {
                let clock = Instant::now();
                for _ in 0..repeat {
                    match &fixed {
                        Some(model) => labels = model.predict(data.records()).into_raw_vec_and_offset().0,
                        None => centres = fit(&data, &start, iterations)?.centroids().to_owned(),
                    }
                }
                let seconds = clock.elapsed().as_secs_f64() / f64::from(repeat);
                println!(r#"{{"seconds": {seconds}}}"#);
            }
            "result" => {
                if fixed.is_some() {
                    let labels: Vec<i64> = labels.iter().map(|&label| label as i64).collect();
                    write_npy(path, &ndarray::Array1::from(labels))?;
                } else {
                    write_npy(path, &centres)?;
                }
                println!(r#"{{"path": "{path}", "pools": []}}"#);
            }
            word => return Err(format!("unknown request {word:?}").into()),
        }
    }
    Ok(())
}

/// Lloyd from the given start; the tolerance is the smallest that Linfa accepts (> 0).
fn fit<F: linfa::Float>(
    data: &DatasetBase<Array2<F>, ndarray::Array1<()>>,
    start: &Array2<F>,
    iterations: u64,
) -> Result<Model<F>, Box<dyn Error>> {
    let rng = Xoshiro256Plus::seed_from_u64(0);
    Ok(KMeans::params_with(start.nrows(), rng, L2Dist)
        .n_runs(1)
        .max_n_iterations(iterations)
        .tolerance(F::min_positive_value())
        .init_method(KMeansInit::Precomputed(start.clone()))
        .fit(data)?)
}

/// A model with exactly these centres: fitted on every centre twice.
fn with_centres<F: linfa::Float>(centres: &Array2<F>) -> Result<Model<F>, Box<dyn Error>> {
    let twice = concatenate(Axis(0), &[centres.view(), centres.view()])?;
    fit(&DatasetBase::from(twice), centres, 1)
}
