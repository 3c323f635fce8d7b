"""Run folders: `config.json`, `weights.safetensors`, `history.csv` and checkpoints."""
