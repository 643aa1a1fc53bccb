"""What runs inside the custodian's Hail container: standard library and Hail alone, nothing of the control plane.

It reads one JSON object a line, `{"verb": …, "arguments": {…}}`, and answers in JSON lines: any number of
`{"progress": text}`, then `{"result": {…}}` or `{"error": {"code", "text"}}`. Verbs are a closed list (`verbs.VERBS`);
texts of errors are fixed (`faults`), because Hail's own quote paths and names of samples.
"""
