import subprocess
import sys


def test_who_only_answers_questions_needs_no_database_library() -> None:
    program = "import sys, iskra_server.runtime.server; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode == 0
