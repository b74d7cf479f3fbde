"""What makes a shell complete the commands of triochat and their flags.

The scripts are static: pressing TAB starts no Python.
"""

from typing import Final, Literal

import cyclopts

Shell = Literal["bash", "zsh", "fish"]

# What cyclopts writes for zsh only defines a function, and is found under one file name only. With this it
# may be read by `source`, as for the other two, or be a file _triochat in a folder of $fpath.
_ZSH_END: Final = """\
if [[ ${funcstack[1]} == _triochat ]]; then
  _cyclopts_triochat "$@"
else
  compdef _cyclopts_triochat triochat
fi
"""


def completion_script(app: cyclopts.App, shell: Shell) -> str:
    """A script for that shell to read when it starts."""
    script = app.generate_completion(shell=shell)
    return f"{script.rstrip()}\n\n{_ZSH_END}" if shell == "zsh" else script
