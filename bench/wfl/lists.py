def main():
    numbers = []
    for i in range(1, 1000001):
        numbers.append(i % 1000)
    total = 0
    for n in numbers:
        total += n
    line = ""
    for _ in range(1000000):
        line = line + "x"
    print(f"{total} {len(line)}")


main()
