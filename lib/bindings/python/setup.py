# SPDX-License-Identifier: MIT
"""The extension. Its headers and licence are the tree's, or copies of them in a source distribution."""
import pathlib
import shutil

from setuptools import Extension, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = pathlib.Path(__file__).resolve().parent
COPY = HERE / "include"
TREE = [HERE / "../../include", HERE / "../../../kmod/uapi"]
LICENCE = HERE / "LICENSE"
if not LICENCE.exists():
    LICENCE = HERE / "../../../LICENSES/MIT.txt"


class BuildWithLicence(build_py):
    """Whoever gets a wheel gets the licence, which asks for that."""

    def run(self):
        super().run()
        if not getattr(self, "editable_mode", False):
            self.copy_file(str(LICENCE), str(pathlib.Path(self.build_lib) / "chronotick/LICENSE"))


class SdistWithHeaders(sdist):
    """Takes the licence along, and the library's headers, laid out as they are installed."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        shutil.copy(LICENCE, pathlib.Path(base_dir) / "LICENSE")
        target = pathlib.Path(base_dir) / "include"
        if not target.exists():
            shutil.copytree(TREE[0], target)
            shutil.copy(TREE[1] / "chronotick_page.h", target / "chronotick")


includes = [COPY] if COPY.is_dir() else TREE
sources = sorted(str(path.relative_to(HERE)) for path in (HERE / "src").glob("*.c"))
headers = [str(path) for folder in includes for path in folder.rglob("*.h")]

setup(
    cmdclass={"build_py": BuildWithLicence, "sdist": SdistWithHeaders},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
    ext_modules=[
        Extension(
            "chronotick._native",
            sources=sources,
            depends=headers + ["src/native.h"],
            include_dirs=[str(path) for path in includes],
            define_macros=[("_GNU_SOURCE", None), ("Py_LIMITED_API", "0x030b0000")],
            extra_compile_args=["-std=gnu11", "-O2", "-fvisibility=hidden"],
            libraries=["m"],
            py_limited_api=True,
        )
    ],
)
