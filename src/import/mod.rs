//! Reading models and data sets: safetensors, npz, csv, exact JSON.
