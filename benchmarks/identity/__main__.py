from benchmarks.identity.suite import main

main()
