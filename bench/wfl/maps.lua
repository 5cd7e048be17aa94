local total = 0
for i = 1, 500000 do
  local entry = {name = "item", number = i, half = i / 2}
  total = total + entry["number"]
  total = total + entry.half
end
print(string.format("%d", total))
