#!/usr/bin/env bash
# On a machine with a GPU: the tests that need one, then the benchmarks on it. MNIST=FOLDER names the IDX files of MNIST.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
failed=0
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || exit 2
"$python" -m pytest -m cuda -p no:cacheprovider tests || failed=1
"$python" -m benchmarks gpu train_gpu ${MNIST:+--data-dir "$MNIST"} || failed=1
exit $failed
