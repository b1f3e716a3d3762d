package io.github.loragraph.cache;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.Optional;

/** The user that this process runs as. */
final class CurrentUser {
  private static final Path PROCESS = Path.of("/proc/self");

  private CurrentUser() {}

  /** As the owner of files; empty where the system does not tell. */
  static Optional<UserPrincipal> principal() {
    try {
      // Users in a container often have a number and no name.
      return Optional.of(
          Files.isDirectory(PROCESS)
              ? Files.getOwner(PROCESS)
              : lookUp(System.getProperty("user.name")));
    } catch (IOException | UnsupportedOperationException e) {
      return Optional.empty();
    }
  }

  /** The administrator; empty where there is none of that name. */
  static Optional<UserPrincipal> root() {
    try {
      return Optional.of(lookUp("root"));
    } catch (IOException | UnsupportedOperationException e) {
      return Optional.empty();
    }
  }

  private static UserPrincipal lookUp(String name) throws IOException {
    return FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(name);
  }

  /** A part of a file's name that no other user has. */
  static String name() {
    return principal()
        .map(UserPrincipal::getName)
        .orElse(System.getProperty("user.name"))
        .replaceAll("[^A-Za-z0-9._-]", "_");
  }
}
