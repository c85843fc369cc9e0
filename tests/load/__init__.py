"""What is done to a running site by many, or by somebody who means harm."""
