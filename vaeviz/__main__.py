from vaeviz.cli import main

main()
