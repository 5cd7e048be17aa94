local numbers = {}
for i = 1, 1000000 do numbers[#numbers + 1] = i % 1000 end
local total = 0
for _, n in ipairs(numbers) do total = total + n end
-- Appending to a string copies it in Lua, so a buffer stands for it, as Lua programs do.
local parts = {}
for i = 1, 1000000 do parts[#parts + 1] = "x" end
print(total .. " " .. #table.concat(parts))
