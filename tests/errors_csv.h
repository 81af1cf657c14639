// Programs that read tables which are malformed or do not fit, or ask for what they do not hold.
#pragma once

#include "errors.h"

namespace goneuron::errors {

/// A table of ten rows.
inline std::string houses_csv() {
  std::string text = "rooms,city,price\n";
  for (int i = 0; i < 10; ++i)
    text += std::to_string(i) + (i % 2 == 0 ? ",Rome," : ",Oslo,") + std::to_string(i) + ".5\n";
  return file_with("houses.csv", text);
}
inline data::Preprocessing houses() {
  return data::csv(houses_csv(), {.target = "price"}).preprocessing;
}

ERROR_CASE(csv_missing) { data::Table t = data::csv("/nowhere/houses.csv", {.target = "price"}); }

ERROR_CASE(csv_of_no_files) { data::Table t = data::csv(data::Files{}, {.target = "price"}); }

ERROR_CASE(csv_that_is_a_folder) { data::Table t = data::csv(folder(), {.target = "price"}); }

ERROR_CASE(csv_empty) { data::Table t = data::csv(file_with("a.csv", ""), {.target = "price"}); }

ERROR_CASE(csv_of_a_header_alone) {
  data::Table t = data::csv(file_with("a.csv", "a,price\n"), {.target = "price"});
}

ERROR_CASE(csv_without_a_target) {
  data::Table t = data::csv(houses_csv(), {.missing = data::Missing::drop});
}

ERROR_CASE(csv_of_an_unknown_column) {
  data::Table t = data::csv(houses_csv(), {.target = "prize"});
}

ERROR_CASE(csv_of_an_unknown_index) { data::Table t = data::csv(houses_csv(), {.target = 3}); }

ERROR_CASE(csv_by_name_without_a_header) {
  data::Table t = data::csv(file_with("a.csv", "1,2\n3,4\n"), {.target = "price"});
}

ERROR_CASE(csv_column_named_twice) {
  data::Table t = data::csv(houses_csv(), {.target = {"price", -1}});
}

ERROR_CASE(csv_target_ignored) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .ignore = {"price"}});
}

ERROR_CASE(csv_column_of_two_kinds) {
  data::Table t =
      data::csv(houses_csv(), {.target = "price", .numbers = {"city"}, .categories = {"city"}});
}

ERROR_CASE(csv_without_inputs) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .ignore = {"rooms", "city"}});
}

ERROR_CASE(csv_two_columns_of_a_name) {
  std::string path = file_with("a.csv", "a,b,a\n1,2,3\n");
  data::Table t = data::csv(path, {.target = "b", .header = data::Header::yes});
}

ERROR_CASE(csv_name_of_another_encoding) {
  data::Table t = data::csv(file_with("a.csv", "caf\xe9,b\n1,2\n"), {.target = "b"});
}

ERROR_CASE(csv_utf16) {
  data::Table t = data::csv(file_with("a.csv",
                                      "\xff\xfe"
                                      "a,b\n"),
                            {.target = "b"});
}

ERROR_CASE(csv_stray_quote) {
  data::Table t = data::csv(file_with("a.csv", "a,b\n1,2\n5\" pipe,3\n"), {.target = "b"});
}

ERROR_CASE(csv_text_behind_a_quote) {
  data::Table t = data::csv(file_with("a.csv", "a,b\n1,\"2\"3\n"), {.target = "b"});
}

ERROR_CASE(csv_unclosed_quote) {
  data::Table t = data::csv(file_with("a.csv", "a,b\n1,2\n3,\"4\n5,6\n"), {.target = "b"});
}

ERROR_CASE(csv_bare_carriage_return) {
  data::Table t = data::csv(file_with("a.csv", "a,b\n1,2\r3,4\n"), {.target = "b"});
}

ERROR_CASE(csv_zero_byte) {
  std::string path = file_with("a.csv", std::string("a,b\n1,\0\n", 8));
  data::Table t = data::csv(path, {.target = "b"});
}

ERROR_CASE(csv_row_too_short) {
  data::Table t = data::csv(file_with("a.csv", "a,b,c\n1,2,3\n4,5\n"), {.target = "b"});
}

ERROR_CASE(csv_row_too_long) {
  data::Table t = data::csv(file_with("a.csv", "a,b\n1,2\n3,4,5\n"), {.target = "b"});
}

ERROR_CASE(csv_text_among_numbers) {
  std::string text = "a,b\n";
  for (int i = 0; i < 100; ++i) text += std::to_string(i) + "," + std::to_string(i) + ".5\n";
  data::Table t = data::csv(file_with("a.csv", text + "1O1,7\n"), {.target = "b"});
}

ERROR_CASE(csv_text_in_numbers_by_option) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .numbers = {"city"}});
}

ERROR_CASE(csv_no_date_by_option) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .dates = {"city"}});
}

ERROR_CASE(csv_not_finite) {
  data::Table t = data::csv(file_with("a.csv", "a,b\n1,2\ninf,3\n"), {.target = "b"});
}

ERROR_CASE(csv_beyond_floats) {
  data::Table t = data::csv(file_with("a.csv", "a,b\n1,2\n1e39,3\n"), {.target = "b"});
}

ERROR_CASE(csv_category_of_another_encoding) {
  data::Table t = data::csv(file_with("a.csv", "a,b\ncaf\xe9,2\n"), {.target = "b"});
}

ERROR_CASE(csv_too_many_categories) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .max_categories = 1});
}

ERROR_CASE(csv_column_without_values) {
  data::Table t = data::csv(file_with("a.csv", "a,b,c\n1,2,\n3,4,\n"), {.target = "b"});
}

ERROR_CASE(csv_missing_cell) {
  std::string path = file_with("a.csv", "a,b\n1,2\n,3\n");
  data::Table t = data::csv(path, {.target = "b", .missing = data::Missing::error});
}

ERROR_CASE(csv_missing_target) {
  data::Table t = data::csv(file_with("a.csv", "a,b\n1,2.5\n3,\n"), {.target = "b"});
}

ERROR_CASE(csv_all_rows_dropped) {
  std::string path = file_with("a.csv", "a,b\n,2\n3,\n");
  data::Table t = data::csv(path, {.target = "b", .missing = data::Missing::drop});
}

ERROR_CASE(csv_unlike_headers) {
  data::Files files = {file_with("1.csv", "a,b\n1,2\n"), file_with("2.csv", "b,a\n1,2\n")};
  data::Table t = data::csv(files, {.target = "b"});
}

ERROR_CASE(csv_delimiter_of_digits) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .delimiter = '0'});
}

ERROR_CASE(csv_quote_that_is_the_delimiter) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .delimiter = ';', .quote = ';'});
}

ERROR_CASE(csv_decimal_that_is_the_delimiter) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .delimiter = ',', .decimal = ','});
}

ERROR_CASE(csv_date_format) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .date_format = "day/month"});
}

ERROR_CASE(csv_no_date_features) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .date_features = {}});
}

ERROR_CASE(csv_blocks_of_nothing) {
  data::Table t = data::csv(houses_csv(), {.target = "price", .block = 0});
}

ERROR_CASE(csv_unlike_its_preprocessing) {
  data::Table t = data::csv(file_with("a.csv", "rooms,price\n1,2\n"), houses());
}

ERROR_CASE(csv_class_never_seen) {
  std::string path = file_with("a.csv", "a,kind\n1,cat\n2,dog\n");
  data::Table t = data::csv(path, {.target = "kind"});
  data::Table test = data::csv(file_with("b.csv", "a,kind\n1,cow\n"), t.preprocessing);
}

ERROR_CASE(rows_of_another_width) { Tensor x = houses().inputs({{"1", "Rome", "2", "3"}}); }

ERROR_CASE(rows_of_text_for_numbers) {
  Tensor x = houses().inputs({{"1", "Rome"}, {"two", "Rome"}});
}

ERROR_CASE(rows_none) { Tensor x = houses().inputs({}); }

ERROR_CASE(rows_without_an_input) { Tensor x = houses().inputs_of_csv("rooms,price\n1,2\n"); }

ERROR_CASE(rows_malformed) { Tensor x = houses().inputs_of_csv("1,\"Rome\n"); }

ERROR_CASE(preprocessing_of_another_format) {
  data::Preprocessing p = data::Preprocessing::from_json("{\"format\":2}");
}

ERROR_CASE(preprocessing_target_that_is_none) {
  double price = houses().restored(1, 0.5);
  (void)price;
}

ERROR_CASE(predict_rows_without_preprocessing) {
  auto model = Sequential({Dense(1)});
  model.build({3});
  model.predict_rows({{"1", "Rome"}});
}

ERROR_CASE(predict_rows_of_another_target) {
  std::string path = file_with("a.csv", "a,kind\n1,cat\n2,dog\n3,cow\n");
  auto model = Sequential({Dense(2, Softmax)});
  model.build({1});
  model.set_preprocessing(data::csv(path, {.target = "kind"}).preprocessing);
  model.predict_rows({{"1"}});
}

ERROR_CASE(predict_rows_of_text_for_numbers) {
  auto model = Sequential({Dense(1)});
  model.build({3});
  model.set_preprocessing(houses());
  model.predict_rows({{"one", "Rome"}});
}

}  // namespace goneuron::errors
