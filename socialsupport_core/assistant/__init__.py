"""What assistants may see and do, over the Model Context Protocol: read, and draft. Nothing here sends."""
