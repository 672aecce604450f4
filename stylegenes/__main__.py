"""`python -m stylegenes` is the `stylegenes` command; launchers such as torchrun need this form."""

from stylegenes.cli.main import main

if __name__ == "__main__":
    main()
