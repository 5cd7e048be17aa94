def main():
    total = 0
    for i in range(1, 500001):
        entry = {"name": "item", "number": i, "half": i / 2}
        total += entry["number"]
        total += entry["half"]
    print(int(total))


main()
