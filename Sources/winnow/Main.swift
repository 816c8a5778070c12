import Commands
import Glibc

@main
enum Main {
    static func main() { exit(Winnow.start()) }
}
