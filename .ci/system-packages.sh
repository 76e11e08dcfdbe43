#!/bin/sh
# Installs the system packages the project uses where that is possible (root and apt-get), and otherwise
# says exactly what to install. ffmpeg is needed; espeak-ng and chromium only by tests and benchmarks.
set -u
missing=""
command -v ffmpeg >/dev/null 2>&1 && command -v ffprobe >/dev/null 2>&1 || missing="$missing ffmpeg"
command -v espeak-ng >/dev/null 2>&1 || missing="$missing espeak-ng"
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
    command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
python=${PYTHON:-python3}
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
# Arabic needs a font for the browser tests' screenshots to show letters rather than boxes.
if command -v fc-list >/dev/null 2>&1; then
    [ -n "$(fc-list :lang=ar 2>/dev/null | head -n 1)" ] || missing="$missing fonts-noto-core"
else
    missing="$missing fontconfig fonts-noto-core"
fi
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing:$missing"
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # the packages are separate words
    if apt-get update -qq >"$log" 2>&1 && apt-get install -qq -y --no-install-recommends $missing >>"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 5 "$log"
    echo "aramega: apt-get could not install:$missing (the whole log: $log)"
else
    echo "aramega: please install:$missing"
    echo "  Debian, Ubuntu:  sudo apt-get install$missing"
    echo "  macOS:           brew install ffmpeg espeak-ng && brew install --cask chromium"
fi
# Only ffmpeg and venv stop us; without the others some tests are skipped and say so.
case "$missing" in *ffmpeg* | *python3-venv*) exit 1 ;; esac
exit 0
