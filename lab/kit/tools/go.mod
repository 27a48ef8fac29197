module multinic.io/lab/kit/tools

go 1.21
