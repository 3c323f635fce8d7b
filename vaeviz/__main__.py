from vaeviz.cli.main import main

main()
