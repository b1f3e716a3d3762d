package io.github.loragraph;

import io.github.loragraph.data.Row;
import java.util.ArrayList;
import java.util.List;

/** Counts rows of which something is true, and keeps the places of the first of them. */
final class FoundRows {
  private final List<String> places = new ArrayList<>();
  private long count;

  void add(Row row) {
    count++;
    if (places.size() < DataCheck.Rows.MOST_PLACES) {
      places.add(row.place());
    }
  }

  DataCheck.Rows rows() {
    return new DataCheck.Rows(count, places);
  }
}
