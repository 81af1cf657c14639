// What options of CSV files convert from, out of a header that every program reads.
#include "goneuron/csv.h"

namespace goneuron::data {

ColumnList::ColumnList(const char* name) : columns(1, name) {}
ColumnList::ColumnList(const std::string& name) : columns(1, name) {}
ColumnList::ColumnList(int index) : columns(1, index) {}
ColumnList::ColumnList(std::initializer_list<ColumnRef> list) : columns(list) {}
ColumnList::ColumnList(const std::vector<ColumnRef>& list) : columns(list) {}
ColumnList::ColumnList(const std::vector<std::string>& names)
    : columns(names.begin(), names.end()) {}

Files::Files(const char* path) : paths(1, path) {}
Files::Files(const std::string& path) : paths(1, path) {}
Files::Files(std::initializer_list<std::string> list) : paths(list) {}
Files::Files(const std::vector<std::string>& list) : paths(list) {}

}  // namespace goneuron::data
